"""SHAP values of models: they add up, they are right where the answer is known, they
repeat.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.manifest import Manifest, TrainedManifest
from core.onnx_model import OnnxModel
from pipeline import tasks
from pipeline.train import behavioural_tests
from pipeline.worker.explain import BACKGROUND_ROWS, Explainer, explain
from tests.support import factories
from tests.support.service import MODELS, TASKS, make


@pytest.fixture(autouse=True, scope="module")
def service() -> None:
    make()


def manifest_of(task: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MODELS / task / "manifest.json").read_bytes())
    return found


@pytest.mark.parametrize("task", TASKS)
def test_the_values_of_a_served_model_add_up_to_what_it_says(task: str) -> None:
    manifest = manifest_of(task)
    golden, answer = manifest["golden"]["request"], manifest["golden"]["answer"]
    one, again = explain((MODELS / task,), manifest["sha256"], [golden, golden])
    assert one == again
    assert one["sum"] == pytest.approx(one["prediction"], rel=1e-6)
    assert one["base_value"] + sum(one["values"].values()) == pytest.approx(one["sum"])
    assert list(one["values"]) == [feature["name"] for feature in manifest["features"]]
    assert any(value != 0 for value in one["values"].values())
    assert one["prediction"] == pytest.approx(np.max(answer), rel=1e-4)
    classes = manifest["target"]["classes"]
    expected = (
        classes[int(np.argmax(answer))] if classes else manifest["target"]["name"]
    )
    assert one["output"] == expected


@pytest.mark.parametrize("task", TASKS)
def test_many_different_records_add_up(task: str) -> None:
    manifest, rows = manifest_of(task), factories.rows(tasks.load(task), 3).to_dict(
        "records"
    )
    for one in explain((MODELS / task,), manifest["sha256"], [*rows]):  # type: ignore[list-item]
        assert one["sum"] == pytest.approx(one["prediction"], rel=1e-6)


def test_of_a_linear_model_they_are_the_slopes_times_the_distances() -> None:
    task = tasks.load("housing")
    table = factories.rows(task, 300)
    fit, content = factories.fitted(task, table)
    model = OnnxModel(content)
    evidence = factories.challenger(task, model, table, fit)
    manifest = factories.manifest(task, evidence, content)
    explainer = Explainer(model, TrainedManifest.model_validate_json(manifest))
    record = behavioural_tests.example(task)
    found = explainer.explain(record)
    means = dict(zip(found["values"], explainer._shap.data.data.mean(axis=0)))
    for name, value in found["values"].items():
        rows = table.iloc[:2].assign(**record)
        rows[name] = [record[name], means[name]]
        with_it, without = model.predict(rows)
        assert value == pytest.approx(with_it - without, abs=1e-4)


def test_the_background_has_the_shares_of_the_reference() -> None:
    manifest = manifest_of("credit")
    model = OnnxModel(MODELS / "credit" / "model.onnx")
    explainer = Explainer(model, Manifest.model_validate(manifest))
    background = explainer._shap.data.data
    assert background.shape == (BACKGROUND_ROWS, len(manifest["features"]))
    for column, feature in zip(background.T, manifest["features"]):
        reference = manifest["reference"]["features"][feature["name"]]
        if feature["categories"]:
            shares = np.bincount(column.astype(int), minlength=len(reference["shares"]))
            difference = shares / BACKGROUND_ROWS - reference["shares"]
            assert np.abs(difference).max() <= 1 / BACKGROUND_ROWS
        else:
            assert (
                reference["edges"][0]
                <= column.min()
                <= column.max()
                <= reference["edges"][-1]
            )


def test_the_digest_decides_which_model_it_is(tmp_path: Path) -> None:
    manifest = manifest_of("iris")
    record, folders = manifest["golden"]["request"], (
        tmp_path / "none",
        tmp_path / "loaded",
    )
    with pytest.raises(FileNotFoundError):
        explain(folders, manifest["sha256"], [record])
    shutil.copytree(MODELS / "iris", tmp_path / "loaded")
    assert (
        explain(folders, manifest["sha256"], [record])[0]["output"]
        in tasks.load("iris").target.classes
    )
    with pytest.raises(FileNotFoundError):
        explain(folders, "0" * 64, [record])
    shutil.copy(MODELS / "housing" / "model.onnx", tmp_path / "loaded" / "model.onnx")
    other = OnnxModel(tmp_path / "loaded" / "model.onnx").sha256
    with pytest.raises(FileNotFoundError):
        explain(folders, other, [record])  # its manifest is another model's


@pytest.mark.parametrize("task", TASKS)
def test_a_record_without_a_feature_is_refused(task: str) -> None:
    manifest = manifest_of(task)
    record = dict(manifest["golden"]["request"])
    record.popitem()
    with pytest.raises(KeyError):
        explain((MODELS / task,), manifest["sha256"], [record])


def test_a_category_that_the_model_does_not_know_is_refused() -> None:
    manifest = manifest_of("credit")
    record = manifest["golden"]["request"] | {"purpose": "yacht"}
    with pytest.raises(ValueError):
        explain((MODELS / "credit",), manifest["sha256"], [record])
