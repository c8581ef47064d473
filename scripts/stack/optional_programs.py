"""Programs that local services use where they are installed."""

import shutil

# The names of each service's program on different systems.
PROGRAMS = {
    "node-exporter": ("node_exporter", "prometheus-node-exporter"),
    "prometheus": ("prometheus",),
    "grafana": ("grafana-server", "grafana"),
}


def find(service: str) -> str:
    """Return the path of a service's program, empty if none is installed."""
    for name in PROGRAMS[service]:
        path = shutil.which(name)
        if path:
            return path
    return ""
