"""The manifests for Kubernetes, read without kubectl."""

from collections.abc import Iterable, Iterator
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
SCALE = FOLDER / "overlays" / "scale"
OPTIONAL = sorted((FOLDER / "optional").iterdir())
KUSTOMIZATION = "kustomization.yaml"
NAME = "app.kubernetes.io/name"
WORKLOAD_KINDS = ("Deployment", "CronJob")
# The services of the compose file that run in a cluster.
SERVICES = ("mlops-api", "mlflow-server", "trainer", "prometheus", "grafana")


def read_all(text: str) -> list[Resource]:
    """Return the resources in a text of several YAML documents."""
    documents = yaml.safe_load_all(text)
    return [document for document in documents if document]


def resources(folder: Path) -> Iterator[Resource]:
    """Go through the resources in the files of a folder."""
    for path in sorted(folder.glob("*.yaml")):
        if path.name != KUSTOMIZATION:
            text = path.read_text("utf-8")
            yield from read_all(text)


def by_name(items: list[Resource], kind: str) -> dict[str, Resource]:
    """Return the resources of a kind by their names."""
    named = {}
    for item in items:
        if item["kind"] == kind:
            name = item["metadata"]["name"]
            named[name] = item
    return named


BASE_RESOURCES = list(resources(BASE))
DEPLOYMENTS = by_name(BASE_RESOURCES, "Deployment")
KUBERNETES_SERVICES = by_name(BASE_RESOURCES, "Service")


def workloads(folders: Iterable[Path]) -> dict[str, Resource]:
    """Return what starts pods in some folders, by name."""
    started = {}
    for folder in folders:
        items = list(resources(folder))
        for kind in WORKLOAD_KINDS:
            started.update(by_name(items, kind))
    return started


# All that starts pods.
WORKLOADS = workloads([BASE, SCALE, *OPTIONAL])


def pod(workload: Resource) -> Resource:
    """Return the specification of the pods of a Deployment or CronJob."""
    specification = workload["spec"]
    if workload["kind"] == "CronJob":
        specification = specification["jobTemplate"]["spec"]
    pods: Resource = specification["template"]["spec"]
    return pods


def containers(workload: Resource) -> list[Resource]:
    """Return all containers of the pods, with those that run first."""
    specification = pod(workload)
    first = specification.get("initContainers", [])
    return [*first, *specification["containers"]]


def only_container(name: str) -> Resource:
    """Return the container of a workload that has no other."""
    (only,) = containers(WORKLOADS[name])
    return only


def main_container(name: str) -> Resource:
    """Return the container of a service that has the service's name."""
    deployment = DEPLOYMENTS[name]
    named = {}
    for container in containers(deployment):
        named[container["name"]] = container
    return named[name]


def container_ports(name: str) -> dict[str, int]:
    """Return the ports of a service's container by their names."""
    container = main_container(name)
    ports = {}
    for port in container["ports"]:
        ports[port["name"]] = port["containerPort"]
    return ports


def settings(name: str, folder: Path = CONFIG) -> dict[str, str]:
    """Return the variables in the file of a service's settings."""
    path = folder / f"{name}.env"
    variables = {}
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            variable, _, value = line.partition("=")
            variables[variable] = value
    return variables


def secret_variables(name: str) -> set[str]:
    """Return the variables that a service reads from the Secret."""
    container = main_container(name)
    variables = container.get("env", [])
    return {variable["name"] for variable in variables}


def kustomization(folder: Path) -> Resource:
    """Return a folder's kustomization."""
    return read_yaml(folder / KUSTOMIZATION)
