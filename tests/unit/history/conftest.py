"""Fixtures of the tests of the history."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from history import Change, build_database
from tests.support import postgres
from tests.support.history_checkout import Checkout
from tests.support.history_factories import Workspace, new_workspace


@pytest.fixture
def repo(tmp_path: Path) -> Workspace:
    """An empty history."""
    return new_workspace(tmp_path / "clone")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A Git repository with a run and a promotion."""
    return Checkout(tmp_path / "checkout")


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server, where it is installed."""
    folder = postgres.programs()
    if folder is None:
        pytest.skip(postgres.ABSENT)
    with postgres.running(folder) as running:
        yield running


@pytest.fixture(scope="session")
def template(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of an empty history: MLflow takes ten seconds to create its tables."""
    name = server.create()
    folder: Path = tmp_path_factory.mktemp("none")
    address = server.address(name)
    assert build_database(folder, address) == Change(0, 0, 0)
    return name


@pytest.fixture
def new_database(server: postgres.Server, template: str) -> Callable[[], str]:
    """Return a function that creates a database with MLflow's tables."""
    return lambda: server.create(f"TEMPLATE {template}")


@pytest.fixture
def address(server: postgres.Server, new_database: Callable[[], str]) -> str:
    """The address of a database with MLflow's tables."""
    return server.address(new_database())
