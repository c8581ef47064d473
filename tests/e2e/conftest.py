"""Running APIs that several tests ask, one of each for all the files of a process.

A test that changes the files, the state or the process of an API starts its own.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.service import make
from tests.support.serving import ADMIN_KEY, Api


@pytest.fixture(autouse=True, scope="session")
def service() -> None:
    """Make the models that are served here."""
    make()


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API that takes smaller bodies than usual."""
    folder = tmp_path_factory.mktemp("api")
    with Api(folder, API_MAX_BODY_BYTES="2000000") as running:
        yield running


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with a key and an allowed web page, and without a worker beside it."""
    settings = {
        "API_ADMIN_KEY": ADMIN_KEY,
        "API_CORS_ORIGINS": '["https://example.org"]',
        "API_TRAINER_URL": "http://127.0.0.1:9",
    }
    folder = tmp_path_factory.mktemp("guarded")
    with Api(folder, **settings) as running:
        yield running


@pytest.fixture
def own_api(tmp_path: Path) -> Iterator[Api]:
    with Api(tmp_path) as running:
        yield running
