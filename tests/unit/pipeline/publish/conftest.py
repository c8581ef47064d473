"""A team that publishes forged bundles."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.repo import Repo
from tests.support.publishing_team import Team


@pytest.fixture
def team(clone: Callable[..., Repo], tmp_path: Path) -> Team:
    """Return a team whose origin has no run yet."""
    return Team(clone, tmp_path)
