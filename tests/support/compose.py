"""The compose file of this project, and the images that it builds."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.paths import ROOT

Service = dict[str, Any]
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
SERVICES: dict[str, Service] = yaml.safe_load(COMPOSE)["services"]
# It runs once, before the others, and not as their user.
PREPARE = "prepare"
# It creates the tables of the database, once.
SCHEMA = "mlflow-schema"
# A variable with a default.
USED = re.compile(r"\$\{([A-Z_]+):?-([^}]*)\}")
STAYING = [name for name in SERVICES if name not in (PREPARE, SCHEMA)]
IMAGES = ROOT / "deployment" / "docker"
DOCKERFILES = sorted(IMAGES.glob("*.Dockerfile"))
PORTS = {
    "proxy": "8000",
    "mlflow-server": "5000",
    "mlflow-proxy": "5443",
    "prometheus": "9090",
    "grafana": "3000",
    "node-exporter": "9100",
    "cadvisor": "8080",
    "alertmanager": "9093",
    "jaeger": "16686",
    "dask-scheduler": "8787",
    "reconciler": "8003",
}


def dockerfile(image: str) -> str:
    return (IMAGES / f"{image}.Dockerfile").read_text("utf-8")


def with_defaults(text: str) -> str:
    """Replace variables by their defaults, which may contain others."""
    while USED.search(text):
        text = USED.sub(r"\2", text)
    return text


def default_image(name: str) -> str:
    """Return the image that a service has if no variable names another."""
    return with_defaults(SERVICES[name]["image"])


def local_image(name: str) -> str:
    """Return an image of the project, by its name, as it is built on this machine."""
    folder, _, _ = default_image("mlops-api").rpartition("/")
    return f"{folder}/{name}:local"


def mounts(name: str) -> dict[str, str]:
    """Return the sources of the mounts of a service, by the path inside with its mode."""
    sources = {}
    for volume in SERVICES[name].get("volumes", []):
        if isinstance(volume, dict):
            sources[volume["target"]] = volume["source"]
            continue
        source, _, inside = volume.partition(":")
        sources[inside] = source
    return sources


def read_yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content
