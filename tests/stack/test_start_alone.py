"""The start command with Docker and the API alone, in a Compose project of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack.verify import NO_MODEL
from tests.stack.engine import DOWN, PROJECT, WAIT, Stack, docker, eventually
from tools.documents import checkout as checkouts

NAME = f"{PROJECT}-alone"
ALONE = ("--only", "mlops-api")
MODELS = Path("deployment", "models")
SERVE_SECONDS = 120


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Stack]:
    """A stack that has not been started, with images of its own."""
    checkout = tmp_path / "checkout"
    checkouts.copy_to(checkout)
    stack = Stack(checkout)
    # There is no collector of traces.
    del stack.environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    stack.environment |= {
        "COMPOSE_PROJECT_NAME": NAME,
        "COMPOSE_PROFILES": "",
        "OWNER": NAME,
    }
    stack.compose(*DOWN)  # what a killed run left behind
    yield stack
    stack.compose(*DOWN)
    for image in stack.compose("config", "--images", "prepare").split():
        docker("rmi", "--force", image)


def api_and_proxy(stack: Stack) -> set[str]:
    """Return the ids of the containers."""
    return {container["Id"] for container in stack.containers("mlops-api", "proxy")}


def test_a_start_without_a_model_serves_one_that_arrives(
    alone: Stack, tmp_path: Path
) -> None:
    models = alone.checkout / MODELS
    away = tmp_path / "away"
    manifest = alone.manifest("iris")
    shutil.move(models / "iris", away)
    for others in models.iterdir():
        shutil.rmtree(others)
    output = alone.start_command(*ALONE)
    assert NO_MODEL in output
    shutil.move(away, models / "iris")
    answer = eventually(lambda: alone.predict(manifest), SERVE_SECONDS, "a prediction")
    assert answer["model_version"] == manifest["version"]


def test_compose_leaves_containers_alone_that_the_start_command_has_started(
    alone: Stack,
) -> None:
    """Another number of replicas must not replace those that are there."""
    alone.start_command(*ALONE)
    started = api_and_proxy(alone)
    scale = ("--scale", "mlops-api=2")
    alone.compose("up", "--detach", *WAIT, *scale, "mlops-api", "proxy")
    assert started < api_and_proxy(alone)
