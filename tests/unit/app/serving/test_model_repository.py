"""Which model is served as the files change: a broken file never replaces a model."""

import hashlib
import shutil
from pathlib import Path

import pytest

from app.errors import ApiError
from app.observability.metrics import Metrics
from app.serving.repository import ModelRepository
from tests.support.service import MODELS, TASKS
from tests.support.serving import edit, manifest, put_older_version


def version(models: ModelRepository, task: str = "housing") -> int:
    return models.get(task).manifest.version


def failures(models: ModelRepository, task: str) -> float:
    value = models.metrics.registry.get_sample_value
    return value("model_reload_failures_total", {"task": task}) or 0


def current(models: ModelRepository, task: str) -> float | None:
    return models.metrics.registry.get_sample_value("model_up_to_date", {"task": task})


def loads(models: ModelRepository, task: str) -> float | None:
    value = models.metrics.registry.get_sample_value
    return value("model_load_duration_seconds_count", {"task": task})


def test_all_tasks_are_served_at_once(models: ModelRepository) -> None:
    assert sorted(models.served()) == TASKS
    assert models.not_ready_reasons() == []
    assert [current(models, task) for task in TASKS] == [1] * len(TASKS)


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
    assert (loads(models, "housing"), loads(models, "iris")) == (2, 1)


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
def test_a_broken_file_keeps_the_old_model_until_it_is_mended(
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
    assert (failures(models, "iris"), current(models, "iris")) == (1, 0)
    path.write_bytes(whole)
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem is None
    assert current(models, "iris") == 1


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
    [("MODEL_CARD.md", b"\xff"), ("manifest.json", b"\xff"), ("model.onnx", b"")],
)
def test_whatever_lies_in_a_folder_the_watch_goes_on(
    models: ModelRepository, folder: Path, name: str, content: bytes
) -> None:
    (folder / "iris" / name).write_bytes(content)
    edit(folder / "housing", remark="seen")
    if name == "MODEL_CARD.md":
        edit(folder / "iris", remark="new card")
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem
    assert models.get("housing").manifest.model_extra["remark"] == "seen"  # type: ignore[index]


@pytest.mark.parametrize(
    "features",
    [
        [],
        [{"name": "x", "type": "category", "categories": []}],
        [{"name": "x", "type": "number", "low": 2, "high": 1}],
    ],
)
def test_features_that_make_no_sense_are_refused(
    models: ModelRepository, folder: Path, features: list[dict[str, object]]
) -> None:
    rest = {"description": "", "unit": "", "low": None, "high": None, "example": 1}
    edit(
        folder / "iris",
        features=[{**rest, "categories": [], **made} for made in features],
    )
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem


def test_a_folder_with_another_tasks_model_is_refused(
    models: ModelRepository, folder: Path
) -> None:
    for name in ("model.onnx", "manifest.json"):
        shutil.copy(folder / "housing" / name, folder / "iris" / name)
    models.reload()
    models.reload()
    assert models.tasks["iris"].problem == "manifest.json is of the task housing"


def test_a_new_task_appears_and_is_nowhere_before_it_is_loaded(
    models: ModelRepository, folder: Path
) -> None:
    shutil.copytree(folder / "iris", folder / "flowers")
    edit(folder / "flowers", task="flowers")
    models.reload()
    assert "flowers" not in models.tasks
    assert models.not_ready_reasons() == []
    models.reload()
    assert models.get("flowers").manifest.task == "flowers"


def test_an_empty_folder_is_no_error_and_says_what_to_do(tmp_path: Path) -> None:
    models = ModelRepository(
        tmp_path / "none", tmp_path / "state", Metrics(), "housing"
    )
    models.reload(require_stable=False)
    (said,) = models.not_ready_reasons()
    assert "git checkout" in said
    assert "python -m pipeline train" in said
    with pytest.raises(ApiError, match="none yet") as caught:
        models.get("housing")
    assert caught.value.status == 404


def test_a_task_that_is_broken_from_the_start_is_not_ready(
    folder: Path, tmp_path: Path, metrics: Metrics
) -> None:
    (folder / "iris" / "model.onnx").unlink()
    models = ModelRepository(folder, tmp_path / "state", metrics, "housing")
    models.reload(require_stable=False)
    assert models.not_ready_reasons() == [f"iris: {models.tasks['iris'].problem}"]
    with pytest.raises(ApiError, match="iris is not ready") as caught:
        models.get("iris")
    assert (caught.value.status, caught.value.headers) == (503, {"Retry-After": "5"})
    assert version(models) == manifest(MODELS / "housing")["version"]


def load_manually(models: ModelRepository) -> int:
    """Put an older version where the trainer does, over the present champion."""
    target = models.loaded_folder / "housing"
    champion = models.folder / "housing"
    shutil.copytree(champion, target)
    loaded = put_older_version(target, "housing")
    digest = hashlib.sha256((champion / "manifest.json").read_bytes()).hexdigest()
    edit(target, loaded_over=digest)
    return loaded


def test_what_is_loaded_by_hand_is_served_until_a_champion_is_published(
    models: ModelRepository,
) -> None:
    loaded = load_manually(models)
    models.reload()
    models.reload()
    assert version(models) == loaded
    edit(models.folder / "housing", version=99)
    models.reload()
    models.reload()
    assert version(models) == 99


def test_what_is_loaded_by_hand_survives_a_restart(models: ModelRepository) -> None:
    loaded = load_manually(models)
    again = ModelRepository(models.folder, models.loaded_folder, Metrics(), "housing")
    again.reload(require_stable=False)
    assert version(again) == loaded


def test_a_broken_model_by_hand_keeps_no_champion_out(models: ModelRepository) -> None:
    before = version(models)
    load_manually(models)
    (models.loaded_folder / "housing" / "model.onnx").write_bytes(b"")
    models.reload()
    models.reload()
    assert version(models) == before
    assert "SHA-256" in (models.tasks["housing"].problem or "")
    edit(models.folder / "housing", version=99)
    models.reload()
    models.reload()
    assert version(models) == 99
    assert models.tasks["housing"].problem is None


def test_a_start_with_a_broken_model_by_hand_serves_the_champion_and_says_so(
    models: ModelRepository,
) -> None:
    before = version(models)
    load_manually(models)
    (models.loaded_folder / "housing" / "model.onnx").unlink()
    again = ModelRepository(models.folder, models.loaded_folder, Metrics(), "housing")
    again.reload(require_stable=False)
    assert version(again) == before
    assert again.tasks["housing"].problem
    assert current(again, "housing") == 0
