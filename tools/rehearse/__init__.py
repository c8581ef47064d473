"""A push to GitHub, rehearsed on this machine with the real workflow."""
