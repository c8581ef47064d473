"""The manifests for Kubernetes beside the compose file, read without kubectl."""

import re
from pathlib import Path

import pytest

from tests.kubernetes import kind
from tests.paths import ROOT
from tests.support import compose
from tests.support.kubernetes import (
    BASE,
    BASE_RESOURCES,
    DEPLOYMENTS,
    KUBERNETES_SERVICES,
    KUSTOMIZATION,
    NAME,
    OPTIONAL,
    SCALE,
    SERVICES,
    SMALL,
    by_name,
    container_ports,
    containers,
    kustomization,
    main_container,
    pod,
    read_all,
    resources,
    secret_variables,
    settings,
    workloads,
)

OURS = ("mlops-api", "mlflow-server", "trainer")
ADDRESS = re.compile(r"^http://([\w-]+):(\d+)$")
# Variables that only make sense where Docker runs: its proxy, and a folder of the user.
OF_DOCKER = {"NO_PROXY", "no_proxy", "API_LOG_FILE"}
ours = pytest.mark.parametrize("name", OURS)
with_variables = pytest.mark.parametrize("name", [*OURS, "grafana"])


@pytest.mark.parametrize(
    "folder", [BASE, SMALL, SCALE, *OPTIONAL], ids=lambda folder: folder.name
)
def test_a_kustomization_lists_every_file_of_its_folder(folder: Path) -> None:
    files = {path.name for path in folder.glob("*.yaml")}
    listed = kustomization(folder).get("resources", [])
    beside = {name for name in listed if "/" not in name}
    assert beside == files - {KUSTOMIZATION}
    for name in listed:
        assert (folder / name).exists()


def test_services_have_the_names_that_they_have_in_the_compose_file() -> None:
    assert set(DEPLOYMENTS) == set(SERVICES)
    assert set(SERVICES) <= set(KUBERNETES_SERVICES)


def test_the_documentation_says_what_becomes_of_each_service() -> None:
    page = ROOT / "docs" / "kubernetes.md"
    text = page.read_text("utf-8")
    for name in compose.SERVICES:
        assert f"| `{name}` |" in text


@with_variables
def test_every_variable_of_the_compose_file_can_be_set(name: str) -> None:
    expected = compose.SERVICES[name]["environment"]
    variables = settings(name)
    secrets = secret_variables(name)
    assert variables.keys() | secrets == expected.keys() - OF_DOCKER
    assert not variables.keys() & secrets
    container = main_container(name)
    assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    for variable, value in variables.items():
        fixed = expected[variable]
        if fixed and "$" not in fixed:
            assert value == fixed


@ours
def test_addresses_lead_to_services(name: str) -> None:
    for value in settings(name).values():
        match = ADDRESS.match(value)
        if match:
            host, port = match.groups()
            service = KUBERNETES_SERVICES[host]["spec"]
            ports = [item["port"] for item in service["ports"]]
            assert int(port) in ports


@pytest.mark.parametrize("name", KUBERNETES_SERVICES)
def test_a_service_selects_pods_and_their_ports(name: str) -> None:
    service = KUBERNETES_SERVICES[name]["spec"]
    selected = service["selector"][NAME]
    template = DEPLOYMENTS[selected]["spec"]["template"]
    assert template["metadata"]["labels"] == {NAME: selected}
    ports = container_ports(selected)
    for port in service["ports"]:
        target = port["targetPort"]
        assert ports[target] == port["port"]


@pytest.mark.parametrize("kind", ["Deployment", "Service", "HorizontalPodAutoscaler"])
def test_the_api_is_recognised_by_its_label(kind: str) -> None:
    resource = by_name(BASE_RESOURCES, kind)["mlops-api"]
    assert resource["metadata"]["labels"] == {NAME: "mlops-api"}


def test_the_api_has_at_least_two_replicas() -> None:
    scalers = by_name(BASE_RESOURCES, "HorizontalPodAutoscaler")
    scaler = scalers["mlops-api"]["spec"]
    assert scaler["minReplicas"] == 2
    # A number in the Deployment would undo the autoscaler's at every `kubectl apply`.
    deployment = DEPLOYMENTS["mlops-api"]["spec"]
    assert "replicas" not in deployment


def test_one_replica_at_a_time_may_be_evicted() -> None:
    budgets = by_name(BASE_RESOURCES, "PodDisruptionBudget")
    budget = budgets["mlops-api"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == {"matchLabels": {NAME: "mlops-api"}}


def test_every_volume_that_a_pod_names_is_in_the_overlay() -> None:
    named = set()
    for deployment in DEPLOYMENTS.values():
        for volume in pod(deployment)["volumes"]:
            source = volume.get("persistentVolumeClaim")
            if source:
                named.add(source["claimName"])
    items = list(resources(SMALL))
    created = by_name(items, "PersistentVolumeClaim")
    assert named == set(created)
    for volume in created.values():
        assert "storageClassName" not in volume["spec"]  # the cluster's default


def images_of_the_overlay() -> dict[str, str]:
    """Return the images that replace the names in the base."""
    replaced = {}
    for image in kustomization(SMALL)["images"]:
        name = image["newName"]
        tag = image["newTag"]
        replaced[image["name"]] = f"{name}:{tag}"
    return replaced


def test_optional_parts_have_the_images_that_an_overlay_of_ones_own_replaces() -> None:
    ours = set(images_of_the_overlay().values())
    for name, workload in workloads(OPTIONAL).items():
        for container in containers(workload):
            assert container["image"] in ours, name


def test_a_cluster_of_kind_gets_every_image_that_no_registry_has() -> None:
    text = (kind.HERE / "helpers.yaml").read_text("utf-8")
    wanted = set(images_of_the_overlay().values())
    for helper in by_name(read_all(text), "Pod").values():
        for container in helper["spec"]["containers"]:
            wanted.add(container["image"])
    assert set(kind.IMAGES) == wanted


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_those_of_the_compose_file(name: str) -> None:
    replaced = images_of_the_overlay()
    image = main_container(name)["image"]
    assert replaced.get(image, image) == compose.default_image(name)
    for container in containers(DEPLOYMENTS[name]):
        image = container["image"]
        assert image in replaced or ":" in image
