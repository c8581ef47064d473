"""A run made again and compared byte for byte: `pipeline reproduce`."""
