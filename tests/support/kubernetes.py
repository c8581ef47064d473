"""The manifests for Kubernetes, read without kubectl."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.paths import ROOT
from tests.support.compose import read_yaml

Resource = dict[str, Any]
FOLDER = ROOT / "deployment" / "kubernetes"
BASE = FOLDER / "base"
CONFIG = BASE / "config"
SMALL = FOLDER / "overlays" / "small"
KUSTOMIZATION = "kustomization.yaml"
NAME = "app.kubernetes.io/name"
# The services of the compose file that run in a cluster.
SERVICES = ("mlops-api", "mlflow-server", "trainer", "prometheus")


def read_all(text: str) -> list[Resource]:
    """Return the resources in a text of several YAML documents."""
    return [document for document in yaml.safe_load_all(text) if document]


def resources(folder: Path) -> Iterator[Resource]:
    """Go through the resources in the files of a folder."""
    for path in sorted(folder.glob("*.yaml")):
        if path.name != KUSTOMIZATION:
            yield from read_all(path.read_text("utf-8"))


def by_name(items: list[Resource], kind: str) -> dict[str, Resource]:
    """Return the resources of a kind by their names."""
    return {item["metadata"]["name"]: item for item in items if item["kind"] == kind}


BASE_RESOURCES = list(resources(BASE))
DEPLOYMENTS = by_name(BASE_RESOURCES, "Deployment")


def pod(deployment: Resource) -> Resource:
    """Return the specification of a deployment's pods."""
    specification: Resource = deployment["spec"]["template"]["spec"]
    return specification


def containers(deployment: Resource) -> list[Resource]:
    """Return all containers of a deployment's pods, with those that run first."""
    specification = pod(deployment)
    return [*specification.get("initContainers", []), *specification["containers"]]


def main_container(deployment: Resource) -> Resource:
    """Return the container that has the name of its deployment."""
    name = deployment["metadata"]["name"]
    (container,) = [
        container
        for container in pod(deployment)["containers"]
        if container["name"] == name
    ]
    return container


def settings(name: str) -> dict[str, str]:
    """Return the variables in the file of a service's settings."""
    variables = {}
    for line in (CONFIG / f"{name}.env").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            variable, _, value = line.partition("=")
            variables[variable] = value
    return variables


def secret_variables(container: Resource) -> set[str]:
    """Return the variables that a container reads from the Secret."""
    return {variable["name"] for variable in container.get("env", [])}


def kustomization(folder: Path) -> Resource:
    """Return a folder's kustomization."""
    return read_yaml(folder / KUSTOMIZATION)
