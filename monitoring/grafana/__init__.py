"""The dashboards, in Python: `nox -s docs` writes them as the JSON that Grafana reads."""
