"""The API's parts over a copy of the tests' models."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.observability.metrics import Metrics
from app.serving.model import Model
from app.serving.repository import ModelRepository
from app.settings import Settings
from tests.support.api_client import serving
from tests.support.service import MODELS, make


@pytest.fixture(autouse=True, scope="session")
def service() -> None:
    """Make what the tests here serve."""
    make()


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that makes settings in which every file is a temporary one."""

    def make(**changes: object) -> Settings:
        return Settings(
            models=tmp_path / "models",
            state=tmp_path / "state",
            prediction_log=tmp_path / "predictions.db",
            log_file=tmp_path / "logs" / "api.log",
        ).model_copy(update=changes)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of models that a test may spoil."""
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def models(folder: Path, tmp_path: Path, metrics: Metrics) -> ModelRepository:
    """The models as at the API's start."""
    made = ModelRepository(folder, tmp_path / "state" / "loaded", metrics, "housing")
    made.reload(require_stable=False)
    return made


@pytest.fixture(scope="session")
def housing() -> Model:
    return Model(MODELS / "housing")


@pytest.fixture
def client(settings: Callable[..., Settings], folder: Path) -> Iterator[TestClient]:
    """The whole API in this process."""
    with TestClient(create_app(settings(drift_seconds=0.1), lambda line: None)) as made:
        yield made


@pytest.fixture(scope="session")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API in this process, for tests that change none of its files."""
    with serving(MODELS, tmp_path_factory.mktemp("shared")) as client:
        yield client
