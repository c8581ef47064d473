"""Trainings of small tasks: real repositories, MLflow's own store."""

import pytest

from pipeline.train.train import train
from tests.support import strategies
from tests.unit.pipeline.train.checkout import (
    Training,
    bundle_folder,
    new_checkout,
    replace_housing,
)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """A training of both tasks, housing with generated rows."""
    folder = tmp_path_factory.mktemp("first") / "checkout"
    repo = new_checkout(folder)
    with pytest.MonkeyPatch.context() as patch:
        replace_housing(patch, strategies.task_of("housing", 400))
        bundle = train(repo, [], bundle_folder(repo))
    return Training(repo, bundle)
