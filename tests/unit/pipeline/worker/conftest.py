"""A running worker."""

from collections.abc import Iterator

import pytest

from tests.unit.pipeline.worker.service import Service, checkout, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A worker that the tests of a module share."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("worker")
    repo = checkout(folder / "checkout")
    with running(repo, HOME=str(home)) as started:
        yield started
    # Explanations and trainings write below the checkout alone, and send nothing.
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files == []
