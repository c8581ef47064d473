"""A push to GitHub, rehearsed on this machine: the real workflow, a bare repository as
origin.
"""
