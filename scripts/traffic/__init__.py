"""Traffic for the API, generated from the manifests: `python -m scripts.traffic`."""
