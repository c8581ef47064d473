"""The manifest is read and written by one model, and written as it was read."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import PipelineError
from core.file_names import MANIFEST
from core.manifest import Feature, Manifest, TrainedManifest
from tests.paths import ROOT
from tests.support.service import MODELS, REPOSITORY, TASKS, make

SERVED = sorted((ROOT / "deployment" / "models").glob(f"*/{MANIFEST}"))
TRAINED = sorted((ROOT / "mlruns").rglob(MANIFEST))


@pytest.fixture(autouse=True, scope="module")
def service() -> None:
    make()


def name_of(path: Path) -> str:
    return "-".join(path.parts[-3:-1])


@pytest.mark.parametrize("path", SERVED, ids=name_of)
def test_a_model_in_service_is_written_as_it_was_read(path: Path) -> None:
    assert Manifest.read(path).render().encode() == path.read_bytes()


@pytest.mark.parametrize("path", TRAINED, ids=name_of)
def test_the_manifest_of_a_run_is_written_as_it_was_read(path: Path) -> None:
    assert TrainedManifest.read(path).render().encode() == path.read_bytes()


@pytest.mark.parametrize("task", TASKS)
def test_a_manifest_just_written_can_be_read(task: str) -> None:
    path = MODELS / task / MANIFEST
    manifest = Manifest.read(path)
    assert manifest.render().encode() == path.read_bytes()
    assert manifest.task == task and manifest.version == 2
    assert set(manifest.reference.thresholds) == {300, 1000}
    # Training fills every field that it declares, and promotion all but one.
    assert set(Manifest.model_fields) - manifest.model_fields_set == {"loaded_over"}
    assert not manifest.model_extra
    kept, *_ = sorted((REPOSITORY / "mlruns" / task).rglob(MANIFEST))
    trained = TrainedManifest.read(kept)
    assert trained.model_fields_set == set(TrainedManifest.model_fields)
    assert trained.render().encode() == kept.read_bytes()


def test_keys_of_another_release_are_kept() -> None:
    content = json.loads((MODELS / "iris" / MANIFEST).read_bytes())
    manifest = Manifest.model_validate(content | {"from_the_future": {"a": [1, 1.0]}})
    assert '"from_the_future": {\n  "a": [1, 1.0]\n }' in manifest.render()


@pytest.mark.parametrize(
    ("low", "text"), [(0, '"low": 0,'), (0.0, '"low": 0.0,'), (None, '"low": null,')]
)
def test_a_whole_number_stays_whole_and_a_fraction_one(
    low: float | None, text: str
) -> None:
    content = json.loads((MODELS / "housing" / MANIFEST).read_bytes())
    content["features"] = [content["features"][0] | {"low": low}]
    assert text in Manifest.model_validate(content).render()


def test_a_number_is_a_number_in_the_api_s_schema() -> None:
    schema = Feature.model_json_schema()
    low = schema["properties"]["low"]["anyOf"]
    assert low == [{"type": "number"}, {"type": "null"}]
    example = schema["$defs"]["FeatureValue"]["anyOf"]
    assert example == [{"type": "number"}, {"type": "string"}]


def test_a_damaged_file_is_named_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / MANIFEST
    path.write_text("{", "utf-8")
    with pytest.raises(PipelineError, match=r"manifest\.json: file: Invalid JSON"):
        Manifest.read(path)
    content = json.loads((MODELS / "iris" / MANIFEST).read_bytes())
    content["golden"]["answer"] = "many"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(PipelineError, match=r"manifest\.json: golden\.answer"):
        Manifest.read(path)


@pytest.mark.parametrize("task", ["iris", "housing"])
def test_the_classes_fit_the_kind(task: str) -> None:
    content = json.loads((MODELS / task / MANIFEST).read_bytes())
    content["target"]["classes"] = [] if task == "iris" else ["low", "high"]
    with pytest.raises(ValidationError, match="classes"):
        Manifest.model_validate(content)
