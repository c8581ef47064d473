"""Which model is served as the files change: a broken file never replaces a model."""

import shutil
from pathlib import Path

import pytest

from app.errors import ApiError
from app.observability.metrics import Metrics
from app.serving.repository import ModelRepository
from tests.support.service import MODELS, TASKS
from tests.support.serving import edit, manifest, put_older_version


def version(models: ModelRepository) -> int:
    """Return the version of the housing model that is served."""
    return models.get("housing").manifest.version


def sample(models: ModelRepository, name: str, task: str) -> float | None:
    """Return the value of a task's metric."""
    registry = models.metrics.registry
    return registry.get_sample_value(name, {"task": task})


def failures(models: ModelRepository, task: str) -> float:
    return sample(models, "model_reload_failures_total", task) or 0


def is_up_to_date(models: ModelRepository, task: str) -> bool:
    value = sample(models, "model_up_to_date", task)
    assert value in (0, 1)
    return value == 1


def loads(models: ModelRepository, task: str) -> float | None:
    return sample(models, "model_load_duration_seconds_count", task)


def test_all_tasks_are_served_at_once(models: ModelRepository) -> None:
    assert sorted(models.served()) == TASKS
    assert models.not_ready_reasons() == []
    for task in TASKS:
        assert is_up_to_date(models, task)


def test_files_are_loaded_once_they_stay_as_they_are(
    models: ModelRepository, folder: Path
) -> None:
    before = version(models)
    older = put_older_version(folder / "housing", "housing")
    models.reload()
    assert version(models) == before
    models.reload()
    assert version(models) == older
    loaded = models.get("housing")
    models.reload()
    assert models.get("housing") is loaded
    assert loads(models, "housing") == 2
    assert loads(models, "iris") == 1


def test_half_of_a_pull_is_not_loaded(models: ModelRepository, folder: Path) -> None:
    whole = folder.with_name("whole")
    shutil.copytree(folder / "housing", whole)
    put_older_version(whole, "housing")
    shutil.copy(whole / "model.onnx", folder / "housing")
    models.reload()
    shutil.copy(whole / "manifest.json", folder / "housing")
    models.reload()
    models.reload()
    assert failures(models, "housing") == 0
    assert version(models) == manifest(whole)["version"]


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_broken_file_keeps_the_old_model_until_it_is_repaired(
    models: ModelRepository, folder: Path, name: str
) -> None:
    path = folder / "iris" / name
    before = models.get("iris")
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    models.reload()
    models.reload()
    models.reload()
    assert models.get("iris") is before
    assert models.tasks["iris"].problem
    assert failures(models, "iris") == 1
    assert not is_up_to_date(models, "iris")
    path.write_bytes(whole)
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem is None
    assert is_up_to_date(models, "iris")


def test_a_deleted_folder_keeps_the_old_model(
    models: ModelRepository, folder: Path
) -> None:
    before = models.get("iris")
    shutil.rmtree(folder / "iris")
    models.reload()
    models.reload()
    assert models.get("iris") is before
    assert "cannot be read" in (models.tasks["iris"].problem or "")
    assert models.not_ready_reasons() == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("MODEL_CARD.md", b"\xff"),
        ("manifest.json", b"\xff"),
        ("model.onnx", b""),
    ],
)
def test_a_broken_folder_does_not_keep_other_models_from_being_loaded(
    models: ModelRepository, folder: Path, name: str, content: bytes
) -> None:
    (folder / "iris" / name).write_bytes(content)
    edit(folder / "housing", remark="new")
    if name == "MODEL_CARD.md":
        edit(folder / "iris", remark="new card")
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem
    housing = models.get("housing").manifest
    assert housing.model_extra == {"remark": "new"}


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "category", "categories": []},
        {"type": "number", "low": 2, "high": 1},
    ],
)
def test_a_feature_without_possible_values_is_refused(
    models: ModelRepository, folder: Path, changes: dict[str, object]
) -> None:
    feature = {
        "name": "x",
        "description": "",
        "unit": "",
        "low": None,
        "high": None,
        "categories": [],
        "example": 1,
    }
    edit(folder / "iris", features=[feature | changes])
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem


def test_a_model_without_features_is_refused(
    models: ModelRepository, folder: Path
) -> None:
    edit(folder / "iris", features=[])
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem


def test_a_folder_with_another_tasks_model_is_refused(
    models: ModelRepository, folder: Path
) -> None:
    for name in ("model.onnx", "manifest.json"):
        source = folder / "housing" / name
        shutil.copy(source, folder / "iris" / name)
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem == "manifest.json is of the task housing"


def test_a_new_task_is_served_once_it_is_loaded(
    models: ModelRepository, folder: Path
) -> None:
    shutil.copytree(folder / "iris", folder / "flowers")
    edit(folder / "flowers", task="flowers")
    models.reload()
    assert "flowers" not in models.tasks
    assert models.not_ready_reasons() == []
    models.reload()
    assert models.get("flowers").manifest.task == "flowers"


def test_without_models_the_reason_says_what_to_do(
    tmp_path: Path, metrics: Metrics
) -> None:
    folder = tmp_path / "none"
    models = ModelRepository(folder, tmp_path / "state", metrics, "housing")
    models.reload(require_stable=False)
    (reason,) = models.not_ready_reasons()
    assert "git checkout" in reason
    assert "python -m pipeline train" in reason
    with pytest.raises(ApiError, match="none yet") as caught:
        models.get("housing")
    assert caught.value.status == 404


def test_a_task_that_is_broken_from_the_start_is_not_ready(
    folder: Path, tmp_path: Path, metrics: Metrics
) -> None:
    (folder / "iris" / "model.onnx").unlink()
    models = ModelRepository(folder, tmp_path / "state", metrics, "housing")
    models.reload(require_stable=False)
    problem = models.tasks["iris"].problem
    assert models.not_ready_reasons() == [f"iris: {problem}"]
    with pytest.raises(ApiError, match="iris is not ready") as caught:
        models.get("iris")
    assert caught.value.status == 503
    assert caught.value.headers == {"Retry-After": "5"}
    assert version(models) == manifest(MODELS / "housing")["version"]
