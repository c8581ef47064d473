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

MakeSettings = Callable[..., Settings]  # takes changes of the settings by name


@pytest.fixture(autouse=True, scope="session")
def service() -> None:
    """Build the models that the tests here serve, unless they exist."""
    make()


@pytest.fixture
def settings(tmp_path: Path) -> MakeSettings:
    """Return a function that creates settings whose files are all temporary."""

    def create(**changes: object) -> Settings:
        return Settings(
            models=tmp_path / "models",
            state=tmp_path / "state",
            prediction_log=tmp_path / "predictions.db",
            log_file=tmp_path / "logs" / "api.log",
        ).model_copy(update=changes)

    return create


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of models that a test may change."""
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def models(folder: Path, tmp_path: Path, metrics: Metrics) -> ModelRepository:
    """The models as at the API's start."""
    loaded_folder = tmp_path / "state" / "loaded"
    repository = ModelRepository(folder, loaded_folder, metrics, "housing")
    repository.reload(require_stable=False)
    return repository


@pytest.fixture(scope="session")
def housing() -> Model:
    return Model(MODELS / "housing")


@pytest.fixture
def client(settings: MakeSettings, folder: Path) -> Iterator[TestClient]:
    """The whole API in this process."""
    app = create_app(settings(drift_seconds=0.1), lambda line: None)
    with TestClient(app) as test_client:
        yield test_client


@pytest.fixture(scope="session")
def shared_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API in this process, for tests that change none of its files."""
    with serving(MODELS, tmp_path_factory.mktemp("shared")) as client:
        yield client
