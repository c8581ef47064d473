"""A team that publishes forged bundles."""

from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.support.publishing_team import Team


@pytest.fixture
def team(clone: Clone, tmp_path: Path) -> Team:
    """Return a team whose origin has no run yet."""
    return Team(clone, tmp_path)
