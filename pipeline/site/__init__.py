"""The history as pages that open from the disk: `pipeline report --site DIR`."""
