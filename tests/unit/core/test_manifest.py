"""The manifest is read and written by one model, and written as it was read."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import PipelineError
from core.file_names import MANIFEST
from core.manifest import Feature, Manifest, TrainedManifest
from tests.paths import ROOT
from tests.support.json_content import Json
from tests.support.service import MODELS, REPOSITORY, TASKS, make

IN_SERVICE = ROOT / "deployment" / "models"
SERVED = sorted(IN_SERVICE.glob(f"*/{MANIFEST}"))
# Only tasks that declare slices, fairness or derived features have them.
OF_SOME_TASKS = {"derived", "fairness", "groups"}
TRAINED = sorted((ROOT / "mlruns").rglob(MANIFEST))


@pytest.fixture(autouse=True, scope="module")
def service() -> None:
    make()


def name_of(path: Path) -> str:
    return "-".join(path.parts[-3:-1])


def content_of(task: str) -> Json:
    """Return the manifest of a task's model as plain JSON."""
    path = MODELS / task / MANIFEST
    content: Json = json.loads(path.read_bytes())
    return content


@pytest.mark.parametrize("path", SERVED, ids=name_of)
def test_a_model_in_service_is_written_as_it_was_read(path: Path) -> None:
    manifest = Manifest.read(path)
    assert manifest.render().encode() == path.read_bytes()


@pytest.mark.parametrize("path", TRAINED, ids=name_of)
def test_the_manifest_of_a_run_is_written_as_it_was_read(path: Path) -> None:
    manifest = TrainedManifest.read(path)
    assert manifest.render().encode() == path.read_bytes()


@pytest.mark.parametrize("task", TASKS)
def test_promotion_sets_every_field_but_one(task: str) -> None:
    path = MODELS / task / MANIFEST
    manifest = Manifest.read(path)
    assert manifest.render().encode() == path.read_bytes()
    assert manifest.task == task
    assert manifest.version == 2
    assert set(manifest.reference.thresholds) == {300, 1000}
    unset = set(Manifest.model_fields) - manifest.model_fields_set
    assert unset - OF_SOME_TASKS == {"loaded_over"}
    assert not manifest.model_extra


@pytest.mark.parametrize("task", TASKS)
def test_training_sets_every_field_that_it_declares(task: str) -> None:
    runs = REPOSITORY / "mlruns" / task
    first, *_ = sorted(runs.rglob(MANIFEST))
    manifest = TrainedManifest.read(first)
    unset = set(TrainedManifest.model_fields) - manifest.model_fields_set
    assert unset <= OF_SOME_TASKS
    assert manifest.render().encode() == first.read_bytes()


def test_keys_of_another_release_are_kept() -> None:
    content = content_of("iris")
    content["from_the_future"] = {"a": [1, 1.0]}
    manifest = Manifest.model_validate(content)
    assert '"from_the_future": {\n  "a": [1, 1.0]\n }' in manifest.render()


@pytest.mark.parametrize(
    ("low", "text"),
    [
        (0, '"low": 0,'),
        (0.0, '"low": 0.0,'),
        (None, '"low": null,'),
    ],
)
def test_a_whole_number_stays_whole_and_a_fraction_one(
    low: float | None, text: str
) -> None:
    content = content_of("housing")
    feature = content["features"][0]
    feature["low"] = low
    content["features"] = [feature]
    manifest = Manifest.model_validate(content)
    assert text in manifest.render()


def test_a_number_is_a_number_in_the_schema_of_the_api() -> None:
    schema = Feature.model_json_schema()
    low = schema["properties"]["low"]
    assert low["anyOf"] == [{"type": "number"}, {"type": "null"}]
    example = schema["$defs"]["FeatureValue"]
    assert example["anyOf"] == [{"type": "number"}, {"type": "string"}]


def test_an_error_in_a_damaged_file_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    path.write_text("{", "utf-8")
    with pytest.raises(PipelineError, match=r"manifest\.json: file: Invalid JSON"):
        Manifest.read(path)
    content = content_of("iris")
    content["golden"]["answer"] = "many"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(PipelineError, match=r"manifest\.json: golden\.answer"):
        Manifest.read(path)


@pytest.mark.parametrize(
    ("task", "classes"),
    [
        ("iris", []),
        ("housing", ["low", "high"]),
    ],
)
def test_the_classes_fit_the_kind(task: str, classes: list[str]) -> None:
    content = content_of(task)
    content["target"]["classes"] = classes
    with pytest.raises(ValidationError, match="classes"):
        Manifest.model_validate(content)
