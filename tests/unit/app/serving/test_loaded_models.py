"""A model that is loaded over the champion, and how long it is served."""

import hashlib
import shutil

import pytest

from app.observability.metrics import Metrics
from app.serving.repository import ModelRepository
from tests.support.serving import edit, put_older_version


def version(models: ModelRepository) -> int:
    return models.get("housing").manifest.version


def restarted(models: ModelRepository) -> ModelRepository:
    """Return the models after a restart of the API."""
    again = ModelRepository(models.folder, models.loaded_folder, Metrics(), "housing")
    again.reload(require_stable=False)
    return again


@pytest.fixture
def champion(models: ModelRepository) -> int:
    """The version of the champion, which is served first."""
    return version(models)


@pytest.fixture
def loaded(models: ModelRepository, champion: int) -> int:
    """The version of an older model that is put where the worker puts loaded models."""
    source = models.folder / "housing"
    target = models.loaded_folder / "housing"
    shutil.copytree(source, target)
    older = put_older_version(target, "housing")
    content = (source / "manifest.json").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    edit(target, loaded_over=digest)
    return older


def test_a_loaded_model_is_served_until_a_champion_is_published(
    models: ModelRepository, loaded: int
) -> None:
    models.reload()
    models.reload()
    assert version(models) == loaded
    edit(models.folder / "housing", version=99)
    models.reload()
    models.reload()
    assert version(models) == 99


def test_a_loaded_model_is_served_after_a_restart(
    models: ModelRepository, loaded: int
) -> None:
    assert version(restarted(models)) == loaded


def test_a_broken_loaded_model_does_not_keep_a_new_champion_out(
    models: ModelRepository, champion: int, loaded: int
) -> None:
    (models.loaded_folder / "housing" / "model.onnx").write_bytes(b"")
    models.reload()
    models.reload()
    assert version(models) == champion
    assert "SHA-256" in (models.tasks["housing"].problem or "")
    edit(models.folder / "housing", version=99)
    models.reload()
    models.reload()
    assert version(models) == 99
    assert models.tasks["housing"].problem is None


def test_a_start_with_a_broken_loaded_model_serves_the_champion_and_says_so(
    models: ModelRepository, champion: int, loaded: int
) -> None:
    (models.loaded_folder / "housing" / "model.onnx").unlink()
    again = restarted(models)
    assert version(again) == champion
    assert again.tasks["housing"].problem
    registry = again.metrics.registry
    labels = {"task": "housing"}
    assert registry.get_sample_value("model_up_to_date", labels) == 0
