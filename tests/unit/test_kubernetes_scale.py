"""The overlay `scale`: its stores are those of the Compose profile, for MLflow alone."""

import re
from typing import Any

import pytest

from tests.support import compose
from tests.support.kubernetes import (
    NAME,
    SCALE,
    WORKLOADS,
    by_name,
    kustomization,
    only_container,
    pod,
    read_all,
    resources,
)

RESOURCES = list(resources(SCALE))
POLICIES = by_name(RESOURCES, "NetworkPolicy")
PORTS = {"postgres": 5432, "s3": 8333}
each = pytest.mark.parametrize("name", PORTS)


@each
def test_a_store_has_image_limits_and_time_to_stop_of_the_compose_file(
    name: str,
) -> None:
    expected = compose.SERVICES[name]
    store = only_container(name)
    assert store["image"] == compose.default_image(name)
    limits = expected["deploy"]["resources"]["limits"]
    assert store["resources"]["limits"]["cpu"] == limits["cpus"]
    assert store["resources"]["limits"]["memory"] == limits["memory"]
    seconds = int(expected["stop_grace_period"].removesuffix("s"))
    assert pod(WORKLOADS[name])["terminationGracePeriodSeconds"] >= seconds


def test_the_bucket_is_served_with_the_arguments_of_the_compose_file() -> None:
    expected = compose.SERVICES["s3"]
    assert only_container("s3")["command"] == expected["entrypoint"]
    assert only_container("s3")["args"] == expected["command"]


@each
def test_a_store_is_ready_when_it_is_healthy_in_compose(name: str) -> None:
    kind, *command = compose.SERVICES[name]["healthcheck"]["test"]
    if kind == "CMD-SHELL":
        (script,) = command
        command = ["sh", "-c", script.strip().replace("$$", "$")]
    ready = only_container(name)["readinessProbe"]["exec"]["command"]
    assert [part.strip() for part in ready] == command


@each
def test_a_volume_of_the_default_class_outlives_the_pod(name: str) -> None:
    requested = by_name(RESOURCES, "PersistentVolumeClaim")[name]
    assert "storageClassName" not in requested["spec"]
    sources = []
    for volume in pod(WORKLOADS[name])["volumes"]:
        if "persistentVolumeClaim" in volume:
            sources.append(volume["persistentVolumeClaim"]["claimName"])
    assert sources == [name]
    # Two pods must never write the same files.
    assert WORKLOADS[name]["spec"]["strategy"] == {"type": "Recreate"}


@each
def test_secrets_come_from_the_secret_and_are_required(name: str) -> None:
    for variable in only_container(name)["env"]:
        if re.search("PASSWORD|KEY", variable["name"]):
            reference = variable["valueFrom"]["secretKeyRef"]
            assert reference["name"] == "mlops"
            assert not reference.get("optional", False)


def server_patch() -> Any:
    """Return what the overlay changes in MLflow's pods."""
    text = (SCALE / "patches" / "mlflow-server.yaml").read_text("utf-8")
    (patch,) = read_all(text)
    return pod(patch)


def test_mlflow_does_not_start_without_the_keys_of_its_stores() -> None:
    (server,) = server_patch()["containers"]
    keys = set()
    for variable in server["env"]:
        reference = variable["valueFrom"]["secretKeyRef"]
        assert reference["optional"] is False
        keys.add(reference["key"])
    assert keys == {"PGPASSWORD", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def test_the_schema_is_migrated_before_the_server_starts() -> None:
    (schema,) = server_patch()["initContainers"]
    expected = compose.SERVICES["mlflow-schema"]
    assert schema["command"] == expected["entrypoint"]


def test_the_settings_name_the_stores() -> None:
    (generator,) = kustomization(SCALE)["configMapGenerator"]
    assert generator["name"] == "mlflow-server"
    assert generator["behavior"] == "merge"
    text = "\n".join(generator["literals"])
    assert "MLOPS_STORE=postgresql+psycopg://mlflow@postgres/mlflow" in text
    assert f"MLFLOW_S3_ENDPOINT_URL=http://s3:{PORTS['s3']}" in text


@each
def test_mlflow_alone_reaches_a_store_and_a_store_reaches_nothing(name: str) -> None:
    specification = POLICIES[name]["spec"]
    assert set(specification["policyTypes"]) == {"Ingress", "Egress"}
    assert "egress" not in specification
    (rule,) = specification["ingress"]
    mlflow = {"podSelector": {"matchLabels": {NAME: "mlflow-server"}}}
    ports = [{"port": PORTS[name]}]
    assert rule == {"from": [mlflow], "ports": ports}


def test_mlflow_may_connect_to_its_stores() -> None:
    reached = {}
    for rule in POLICIES["mlflow-stores"]["spec"]["egress"]:
        (peer,) = rule["to"]
        (port,) = rule["ports"]
        reached[peer["podSelector"]["matchLabels"][NAME]] = port["port"]
    assert reached == PORTS
