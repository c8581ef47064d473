"""A running API that several tests ask; those that spoil something start one of their
own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import make
from tests.support.serving import Api


@pytest.fixture(autouse=True, scope="session")
def service() -> None:
    """Make the models that are served here."""
    make()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with Api(tmp_path_factory.mktemp("api"), API_MAX_BODY_BYTES="2000000") as running:
        yield running


@pytest.fixture
def own_api(tmp_path: Path) -> Iterator[Api]:
    with Api(tmp_path) as running:
        yield running
