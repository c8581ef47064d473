"""Searches hyperparameters: `pipeline search`."""
