"""Traffic for the API, made from the manifests alone: `python -m scripts.traffic`."""
