"""A candidate's chart and table, and what is left if one of them cannot be drawn."""

import dataclasses
import io

import pytest
from PIL import Image

from core.onnx_model import OnnxModel
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.train import artifacts
from pipeline.train.candidates import Candidate, fit_all
from pipeline.train.training_data import TrainingData
from tests.paths import ROOT

IRIS = ROOT / "data" / "iris.csv.gz"


@pytest.fixture(scope="module")
def data() -> TrainingData:
    task = tasks.load("iris")
    rows = tables.read(IRIS)
    held = tables.in_holdout(task, rows, 0.2)
    return TrainingData(
        task=task,
        features=list(task.features),
        train=rows[~held],
        holdout=rows[held],
        folds=3,
        seed=42,
    )


@pytest.fixture(scope="module")
def forest(data: TrainingData) -> Candidate:
    parameters = {"n_estimators": 20, "min_samples_leaf": 3}
    (fitted,) = fit_all(data, {"random_forest": parameters})
    assert isinstance(fitted, Candidate)
    return fitted


def test_probabilities_that_exceed_1_by_a_rounding_are_drawn(
    data: TrainingData, forest: Candidate
) -> None:
    probabilities = OnnxModel(forest.onnx).predict(data.holdout)
    assert probabilities.max() > 1  # else this proves nothing
    drawing = artifacts.draw(data, forest)
    assert drawing.missing == {}
    files = drawing.files
    assert set(files) == {"evaluation.png", "permutation_importance.csv"}
    stream = io.BytesIO(files["evaluation.png"])
    assert Image.open(stream).width > 1000


def test_a_chart_that_cannot_be_drawn_leaves_the_table(
    data: TrainingData, forest: Candidate
) -> None:
    broken = dataclasses.replace(forest, onnx=b"no model")
    drawing = artifacts.draw(data, broken)
    assert list(drawing.files) == ["permutation_importance.csv"]
    assert list(drawing.missing) == ["evaluation.png"]
    reason = drawing.missing["evaluation.png"]
    assert reason
    assert "\n" not in reason
