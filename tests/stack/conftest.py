"""One stack for all tests: `nox -s stack`. The logs of every service are shown if a
test fails.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack.settings import PORTS
from tests.stack.engine import ADMIN_KEY, MISSING, Stack, require_engine
from tools.documents import checkout as checkouts
from tools.documents import stack as documents
from tools.documents import start
from tools.documents.rows import metrics

WITH = ("--with", "alerts", "--with", "tracing")


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """Start the services as people do, from their sources, and leave nothing behind."""
    require_engine()
    checkout: Path = tmp_path_factory.mktemp("stack") / "checkout"
    checkouts.copy_to(checkout)
    metrics.turn_on(
        checkout
    )  # a rate of theirs is known by the time that one is asked for
    running = Stack(checkout)
    away = ("--profile", "*", "down", "--volumes", "--remove-orphans")
    running.compose(*away)  # of a call that was killed
    failed = request.session.testsfailed
    try:
        running.told = running.start_command(*WITH, "--without", *MISSING)
        running.compose("rm", "--stop", "--force", "alertmanager")
        yield running
    except AssertionError:
        failed = -1
        raise
    finally:
        if request.session.testsfailed != failed:
            print(running.compose("logs", "--no-color", "--tail", "60"))
        running.compose(*away)


@pytest.fixture(scope="session")
def documented(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> documents.Stack:
    """Return the same stack as the rows of the documents see it."""
    short = {
        service: variable.removesuffix("_PORT")
        for service, (variable, _) in PORTS.items()
    }
    ports = {
        name: stack.ports[short[name]] for name in PORTS if short[name] in stack.ports
    }
    environment = documents.with_python_first(stack.environment)
    found = documents.Stack("containers", stack.checkout, ports, environment, ADMIN_KEY)
    file: Path = tmp_path_factory.mktemp("documents") / "absent.yml"
    return start.running(start.without(found, MISSING, file))


@pytest.fixture(autouse=True)
def paths_that_windows_can_open() -> None:
    """Leave paths alone: a registry makes long ones, and these tests do not run on
    Windows.
    """
