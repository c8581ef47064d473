"""The release: the commit, the images and the models that should be in service."""
