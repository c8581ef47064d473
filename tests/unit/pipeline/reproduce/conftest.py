"""A repository whose run can be made again in no time."""

from pathlib import Path

import pytest

from tests.unit.pipeline.reproduce.small_trainer import SmallTrainer, copy


@pytest.fixture(scope="package")
def first_trainer(tmp_path_factory: pytest.TempPathFactory) -> SmallTrainer:
    """The repository, for copies of it."""
    return SmallTrainer(tmp_path_factory.mktemp("reproduce") / "checkout")


@pytest.fixture
def trainer(first_trainer: SmallTrainer, tmp_path: Path) -> SmallTrainer:
    """A copy of the repository that a test may change."""
    return copy(first_trainer, tmp_path / "checkout")
