"""Copies of this template: making one a project of its own, and bringing it later
versions.
"""
