"""The manifests for Kubernetes beside the compose file, read without kubectl."""

import re
from pathlib import Path

import pytest

from app.routes import health
from tests.paths import ROOT
from tests.support import compose
from tests.support.compose import dockerfile
from tests.support.kubernetes import (
    BASE,
    BASE_RESOURCES,
    DEPLOYMENTS,
    KUSTOMIZATION,
    NAME,
    SERVICES,
    SMALL,
    by_name,
    containers,
    kustomization,
    main_container,
    pod,
    resources,
    secret_variables,
    settings,
)

IMAGES = {"mlops-api": "api", "mlflow-server": "mlflow", "trainer": "pipeline"}
HEALTH_CHECK = re.compile(r'CMD \["python", "[\w./]+", "(\d+)", "([^"]+)"')
EXPOSED = re.compile(r"^EXPOSE (.+)$", re.MULTILINE)
ADDRESS = re.compile(r"^http://([\w-]+):(\d+)$")
# Variables that only make sense where Docker runs: its proxy, and a folder of the user.
OF_DOCKER = {"NO_PROXY", "no_proxy", "API_LOG_FILE"}
each = pytest.mark.parametrize("name", SERVICES)
ours = pytest.mark.parametrize("name", IMAGES)


@pytest.mark.parametrize("folder", [BASE, SMALL], ids=lambda folder: folder.name)
def test_a_kustomization_lists_every_file_of_its_folder(folder: Path) -> None:
    files = {path.name for path in folder.glob("*.yaml")} - {KUSTOMIZATION}
    listed = kustomization(folder)["resources"]
    assert files == {name for name in listed if "/" not in name}
    for name in listed:
        assert (folder / name).exists()


def test_the_services_of_the_compose_file_have_their_own_names() -> None:
    assert set(DEPLOYMENTS) == set(SERVICES)
    assert set(SERVICES) <= set(by_name(BASE_RESOURCES, "Service"))
    page = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
    for name in compose.SERVICES:
        assert f"| `{name}` |" in page, "docs/kubernetes.md says what becomes of it"


@each
def test_pods_have_only_the_rights_that_they_need(name: str) -> None:
    specification = pod(DEPLOYMENTS[name])
    assert specification["automountServiceAccountToken"] is False
    # Kubernetes would set TRAINER_PORT=tcp://…, which the worker takes for its port.
    assert specification["enableServiceLinks"] is False
    user = 65534 if name == "prometheus" else 10001
    context = specification["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for right in ("runAsUser", "runAsGroup", "fsGroup"):
        assert context[right] == user
    for container in containers(DEPLOYMENTS[name]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}


@each
def test_limits_are_those_of_the_compose_file(name: str) -> None:
    limits = compose.SERVICES[name]["deploy"]["resources"]["limits"]
    container = main_container(DEPLOYMENTS[name])
    assert container["resources"]["limits"] == {
        "cpu": limits["cpus"],
        "memory": limits["memory"],
    }


def milli(quantity: str) -> int:
    """Return a quantity of CPU time in thousandths of a core."""
    assert quantity.endswith("m")
    return int(quantity.removesuffix("m"))


def test_predictions_have_priority_as_in_the_compose_file() -> None:
    shares = compose.SERVICES["mlops-api"]["cpu_shares"]
    of_others = 1024  # Docker's default
    requests = {}
    for name in SERVICES:
        container = main_container(DEPLOYMENTS[name])
        requests[name] = milli(container["resources"]["requests"]["cpu"])
    api = requests.pop("mlops-api")
    for request in requests.values():
        assert api * of_others == request * shares


def test_the_time_to_stop_holds_that_of_the_compose_file() -> None:
    for name in IMAGES:
        specification = pod(DEPLOYMENTS[name])
        grace = specification["terminationGracePeriodSeconds"]
        hook = main_container(DEPLOYMENTS[name]).get("lifecycle")
        slept = hook["preStop"]["sleep"]["seconds"] if hook else 0
        seconds = compose.SERVICES[name]["stop_grace_period"].removesuffix("s")
        assert grace >= slept + int(seconds), name


def test_a_pod_of_the_api_still_answers_while_others_hear_that_it_ends() -> None:
    hook = main_container(DEPLOYMENTS["mlops-api"])["lifecycle"]
    assert hook["preStop"]["sleep"]["seconds"] >= 3


@ours
def test_a_pod_is_ready_when_its_image_is_healthy(name: str) -> None:
    match = HEALTH_CHECK.search(dockerfile(IMAGES[name]))
    assert match
    port, path = match.groups()
    container = main_container(DEPLOYMENTS[name])
    ports = {item["name"]: str(item["containerPort"]) for item in container["ports"]}
    for probe in ("startupProbe", "readinessProbe"):
        request = container[probe]["httpGet"]
        assert ports[request["port"]] == port
    assert container["readinessProbe"]["httpGet"]["path"] == path
    exposed = EXPOSED.findall(dockerfile(IMAGES[name]))[0]
    assert sorted(ports.values()) == exposed.split()


def test_the_probes_of_the_api_are_paths_of_the_api() -> None:
    container = main_container(DEPLOYMENTS["mlops-api"])
    paths = {route.path for route in health.router.routes}  # type: ignore[attr-defined]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in paths


@ours
def test_every_variable_of_the_compose_file_can_be_set(name: str) -> None:
    expected = compose.SERVICES[name]["environment"]
    variables = settings(name)
    container = main_container(DEPLOYMENTS[name])
    secrets = secret_variables(container)
    assert variables.keys() | secrets == expected.keys() - OF_DOCKER
    assert not variables.keys() & secrets
    assert container["envFrom"] == [{"configMapRef": {"name": name}}]
    for variable, value in variables.items():
        fixed = expected[variable]
        if fixed and "$" not in fixed:
            assert value == fixed


@ours
def test_addresses_lead_to_services(name: str) -> None:
    services = by_name(BASE_RESOURCES, "Service")
    for value in settings(name).values():
        match = ADDRESS.match(value)
        if match:
            service, port = match.groups()
            ports = [item["port"] for item in services[service]["spec"]["ports"]]
            assert int(port) in ports


def test_services_select_pods_and_their_ports() -> None:
    for service in by_name(BASE_RESOURCES, "Service").values():
        selected = service["spec"]["selector"][NAME]
        deployment = DEPLOYMENTS[selected]
        assert deployment["spec"]["template"]["metadata"]["labels"][NAME] == selected
        ports = {}
        for port in main_container(deployment)["ports"]:
            ports[port["name"]] = port["containerPort"]
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]


def test_the_api_has_its_label_and_at_least_two_replicas() -> None:
    label = {NAME: "mlops-api"}
    for kind in ("Deployment", "Service", "HorizontalPodAutoscaler"):
        resource = by_name(BASE_RESOURCES, kind)["mlops-api"]
        assert resource["metadata"]["labels"] == label
    scaler = by_name(BASE_RESOURCES, "HorizontalPodAutoscaler")["mlops-api"]["spec"]
    assert scaler["minReplicas"] == 2
    # A number in the Deployment would undo the autoscaler's at every `kubectl apply`.
    assert "replicas" not in DEPLOYMENTS["mlops-api"]["spec"]
    budget = by_name(BASE_RESOURCES, "PodDisruptionBudget")["mlops-api"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": label}}


def test_the_namespace_refuses_pods_with_more_rights() -> None:
    labels = by_name(BASE_RESOURCES, "Namespace")["mlops"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_volume_that_a_pod_names_is_in_the_overlay() -> None:
    named = set()
    for deployment in DEPLOYMENTS.values():
        for volume in pod(deployment).get("volumes", []):
            if "persistentVolumeClaim" in volume:
                named.add(volume["persistentVolumeClaim"]["claimName"])
    created = by_name(list(resources(SMALL)), "PersistentVolumeClaim")
    assert named == set(created)
    for volume in created.values():
        assert "storageClassName" not in volume["spec"]  # the cluster's default


def test_images_are_those_of_the_compose_file() -> None:
    replaced = {}
    for image in kustomization(SMALL)["images"]:
        replaced[image["name"]] = f"{image['newName']}:{image['newTag']}"
    used = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
    for name in SERVICES:
        image = main_container(DEPLOYMENTS[name])["image"]
        expected = used.sub(r"\1", compose.SERVICES[name]["image"])
        assert replaced.get(image, image) == expected
    for deployment in DEPLOYMENTS.values():
        for container in containers(deployment):
            assert ":" in container["image"] or container["image"] in replaced
