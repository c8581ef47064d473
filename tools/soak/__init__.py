"""Measures a repository with thousands of pushes."""
