"""One stack for all tests: `nox -s stack`. The logs of every service are shown if a
test fails.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from scripts.stack.settings import PORTS
from tests.stack.engine import ADMIN_KEY, DOWN, MISSING, Stack, require_engine
from tests.stack.faster import shorten_training, shorten_waits
from tools.documents import checkout as checkouts
from tools.documents import stack as documents
from tools.documents import start
from tools.documents.rows import metrics

WITH = ("--with", "alerts", "--with", "tracing")


def pytest_configure() -> None:
    """Require the engine before any test starts."""
    require_engine()


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """Start the services as people do, from their sources, and leave nothing behind."""
    checkout: Path = tmp_path_factory.mktemp("stack") / "checkout"
    checkouts.copy_to(checkout)
    shorten_waits(checkout)
    shorten_training(checkout)
    metrics.turn_on(checkout)  # rates need some time until they have values
    running = Stack(checkout)
    running.compose(*DOWN)  # a stack that a killed run left behind
    failed = request.session.testsfailed
    try:
        running.start_output = running.start_command(*WITH, "--without", *MISSING)
        running.compose("rm", "--stop", "--force", "alertmanager")
        yield running
    except AssertionError:
        failed = -1
        raise
    finally:
        if request.session.testsfailed != failed:
            print(running.compose("logs", "--no-color", "--tail", "60"))
        running.compose(*DOWN)


@pytest.fixture(scope="session")
def record(stack: Stack) -> bytes:
    """Return the JSON of a record of iris."""
    manifest = stack.manifest("iris")
    return json.dumps(manifest["golden"]["request"]).encode()


@pytest.fixture
def client(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Return a client of the stack's MLflow, as a notebook has."""
    uri = stack.url("MLFLOW")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    return MlflowClient(uri, registry_uri=uri)


@pytest.fixture(scope="session")
def documented(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> documents.Stack:
    """Return the same stack as the rows of the documents see it."""
    ports = {}
    for service, (variable, _) in PORTS.items():
        name = variable.removesuffix("_PORT")
        if name in stack.ports:
            ports[service] = stack.ports[name]
    environment = documents.with_python_first(stack.environment)
    whole = documents.Stack("containers", stack.checkout, ports, environment, ADMIN_KEY)
    override: Path = tmp_path_factory.mktemp("documents") / "absent.yml"
    return start.running(start.without(whole, MISSING, override))


@pytest.fixture(autouse=True)
def paths_that_windows_can_open() -> None:
    """Leave paths alone: a registry makes long ones, and these tests do not run on
    Windows.
    """
