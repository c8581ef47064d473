"""SHAP values add up, are the same each time, and are right for a linear model."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.jobs import Record
from core.manifest import Manifest, TrainedManifest
from core.onnx_model import OnnxModel
from pipeline import tasks
from pipeline.schema import Task
from pipeline.train import behavioural_tests
from pipeline.worker.explain import BACKGROUND_ROWS, Explainer, explain
from tests.support import factories
from tests.support.service import MODELS, TASKS, make
from tests.unit.pipeline.worker.service import read_manifest

Explanation = dict[str, Any]


@pytest.fixture(autouse=True, scope="module")
def models() -> None:
    make()


def explain_served(task: str, records: list[Record]) -> list[Explanation]:
    """Return the explanations of records by the model in service."""
    folder = MODELS / task
    manifest = read_manifest(folder)
    digest = manifest["sha256"]
    return explain((folder,), digest, records)


def golden(task: str) -> Record:
    """Return the record with whose answer the model in service is checked."""
    manifest = read_manifest(MODELS / task)
    record: Record = manifest["golden"]["request"]
    return record


@pytest.mark.parametrize("task", TASKS)
def test_the_values_of_a_served_model_add_up_to_its_prediction(task: str) -> None:
    record = golden(task)
    (explanation,) = explain_served(task, [record])
    values = explanation["values"]
    features = tasks.load(task).features
    names = [feature.name for feature in features]
    assert list(values) == names
    assert any(values.values())
    total = sum(values.values())
    expected = explanation["base_value"] + total
    prediction = explanation["prediction"]
    assert explanation["sum"] == pytest.approx(expected)
    assert explanation["sum"] == pytest.approx(prediction, rel=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_record_has_the_same_values(task: str) -> None:
    record = golden(task)
    first, second = explain_served(task, [record, record])
    assert first == second


@pytest.mark.parametrize("task", TASKS)
def test_the_output_is_the_winning_class_or_the_target(task: str) -> None:
    record = golden(task)
    (explanation,) = explain_served(task, [record])
    manifest = read_manifest(MODELS / task)
    answer = manifest["golden"]["answer"]
    largest = np.max(answer)
    assert explanation["prediction"] == pytest.approx(largest, rel=1e-4)
    target = manifest["target"]
    expected = target["name"]
    if target["classes"]:
        winner = int(np.argmax(answer))
        expected = target["classes"][winner]
    assert explanation["output"] == expected


@pytest.mark.parametrize("task", TASKS)
def test_many_different_records_add_up(task: str) -> None:
    loaded = tasks.load(task)
    table = factories.rows(loaded, 3)
    records: list[Record] = table.to_dict("records")
    for explanation in explain_served(task, records):
        prediction = explanation["prediction"]
        assert explanation["sum"] == pytest.approx(prediction, rel=1e-6)


def test_those_of_a_linear_model_are_the_slopes_times_the_distances() -> None:
    task = tasks.load("housing")
    table = factories.rows(task, 300)
    model, manifest = fit(task, table)
    explainer = Explainer(model, manifest)
    record = behavioural_tests.example(task)
    explanation = explainer.explain(record)
    values = explanation["values"]
    background = background_of(explainer)
    means = background.mean(axis=0)
    for name, mean in zip(values, means, strict=True):
        two_rows = table.iloc[:2]
        rows = two_rows.assign(**record)
        rows[name] = [record[name], mean]
        with_value, with_mean = model.predict(rows)
        expected = with_value - with_mean
        assert values[name] == pytest.approx(expected, abs=1e-4)


def fit(
    task: Task,
    table: pd.DataFrame,
) -> tuple[OnnxModel, TrainedManifest]:
    """Return a linear model of a table, and its manifest."""
    pipeline, content = factories.fitted(task, table)
    model = OnnxModel(content)
    evidence = factories.challenger(task, model, table, pipeline)
    text = factories.manifest(task, evidence, content)
    manifest = TrainedManifest.model_validate_json(text)
    return model, manifest


def background_of(explainer: Explainer) -> np.ndarray:
    background: np.ndarray = explainer._shap.data.data
    return background


def test_the_background_has_the_shares_of_the_reference() -> None:
    folder = MODELS / "credit"
    manifest = Manifest.read(folder / "manifest.json")
    model = OnnxModel(folder / "model.onnx")
    explainer = Explainer(model, manifest)
    background = background_of(explainer)
    features = manifest.features
    assert background.shape == (BACKGROUND_ROWS, len(features))
    for column, feature in zip(background.T, features, strict=True):
        reference = manifest.reference.features[feature.name]
        if feature.categories:
            count = len(reference.shares)
            places = column.astype(int)
            counts = np.bincount(places, minlength=count)
            shares = counts / BACKGROUND_ROWS
            differences = np.abs(shares - reference.shares)
            share_of_a_row = 1 / BACKGROUND_ROWS
            assert differences.max() <= share_of_a_row
        else:
            lowest = reference.edges[0]
            highest = reference.edges[-1]
            assert column.min() >= lowest
            assert column.max() <= highest


def test_the_digest_decides_which_model_it_is(tmp_path: Path) -> None:
    served = MODELS / "iris"
    loaded = tmp_path / "loaded"
    folders = (tmp_path / "none", loaded)
    record = golden("iris")
    manifest = read_manifest(served)
    digest = manifest["sha256"]
    with pytest.raises(FileNotFoundError):
        explain(folders, digest, [record])
    shutil.copytree(served, loaded)
    (explanation,) = explain(folders, digest, [record])
    target = tasks.load("iris").target
    assert explanation["output"] in target.classes
    another_digest = "0" * 64
    with pytest.raises(FileNotFoundError):
        explain(folders, another_digest, [record])


def test_a_model_with_the_manifest_of_another_is_not_used(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    shutil.copytree(MODELS / "iris", loaded)
    of_another_task = MODELS / "housing" / "model.onnx"
    shutil.copy(of_another_task, loaded)
    model = OnnxModel(loaded / "model.onnx")
    record = golden("iris")
    with pytest.raises(FileNotFoundError):
        explain((loaded,), model.sha256, [record])


@pytest.mark.parametrize("task", TASKS)
def test_a_record_without_a_feature_is_refused(task: str) -> None:
    record = golden(task)
    record.popitem()
    with pytest.raises(KeyError):
        explain_served(task, [record])


def test_an_unknown_category_is_refused() -> None:
    record = golden("credit")
    record["purpose"] = "yacht"
    with pytest.raises(ValueError):
        explain_served("credit", [record])
