"""The overlay `scale` in a real cluster: MLflow on PostgreSQL and S3, from nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes import mlflow_client
from tests.kubernetes.mlflow_client import connected
from tests.kubernetes.stack import FIRST_PREDICTION_SECONDS, NAMESPACE, Stack
from tests.support.waiting import wait_until

STORES = ("postgres", "s3")
TARGETS = ("postgres.mlops:5432", "s3.mlops:8333")


@pytest.fixture(scope="module", autouse=True)
def scaled(stack: Stack) -> Iterator[None]:
    """Replace the overlay that is running by `scale`."""
    stack.replace_by("scale")
    yield


def test_the_first_prediction_is_answered_within_a_minute(stack: Stack) -> None:
    print(f"\nfirst prediction after {stack.seconds:.1f} s")
    assert stack.seconds <= FIRST_PREDICTION_SECONDS
    assert stack.warnings == ""


def test_volumes_have_the_default_class(stack: Stack) -> None:
    listed = json.loads(stack.kubectl("get", "pvc", "-o", "json"))
    names = set()
    for volume in listed["items"]:
        name = volume["metadata"]["name"]
        names.add(name)
        # No pod of Grafana is started, and some classes bind a volume to its first pod.
        if name != "grafana":
            assert volume["status"]["phase"] == "Bound", name
    assert names == {"grafana", "postgres", "prometheus", "s3"}


def test_every_run_is_in_the_database_and_its_files_in_the_bucket(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connected(stack, monkeypatch) as client:
        mlflow_client.require_every_run(client, tmp_path)


def test_every_champion_can_be_downloaded(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with connected(stack, monkeypatch):
        mlflow_client.require_every_champion(tmp_path)


@pytest.mark.parametrize("name", [*STORES, "mlflow-server"])
def test_what_a_notebook_logs_is_kept_when_a_service_is_killed(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with connected(stack, monkeypatch):
        run_id = mlflow_client.log_run()
    (before,) = stack.pods(name)
    stack.kubectl("delete", "pod", before, "--grace-period=0", "--force")
    stack.await_rollout(*STORES)
    stack.await_rollout()
    with connected(stack, monkeypatch) as client:
        mlflow_client.require_logged(client, run_id)


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("mlflow-server", set(TARGETS)),
        ("trainer", set()),
        ("mlops-api", set()),
    ],
)
def test_only_mlflow_reaches_the_stores(
    stack: Stack, name: str, reached: set[str]
) -> None:
    refused = stack.refused(NAMESPACE, f"deployment/{name}", TARGETS)
    assert set(TARGETS) - refused == reached


def test_nothing_is_left_after_the_overlay_is_deleted(stack: Stack) -> None:
    stack.delete_overlay()
    wait_until(lambda: stack.volumes() == [], 60, 1)
