"""Fixtures of the tests of the history."""

from pathlib import Path

import pytest

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
