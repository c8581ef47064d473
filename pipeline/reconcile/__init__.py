"""Following a release: what a branch declares is served, and goes back if it fails."""
