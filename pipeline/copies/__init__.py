"""Copies of this template: `pipeline init` and `pipeline update`."""
