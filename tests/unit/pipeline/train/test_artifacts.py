"""A candidate's picture and table, and what happens where one of them cannot be made."""

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
        task, list(task.features), rows[~held], rows[held], folds=3, seed=42
    )


@pytest.fixture(scope="module")
def forest(data: TrainingData) -> Candidate:
    (fitted,) = fit_all(
        data, {"random_forest": {"n_estimators": 20, "min_samples_leaf": 3}}
    )
    assert isinstance(fitted, Candidate)
    return fitted


def test_probabilities_that_exceed_1_by_a_rounding_are_drawn(
    data: TrainingData, forest: Candidate
) -> None:
    assert (
        OnnxModel(forest.onnx).predict(data.holdout).max() > 1
    )  # else this proves nothing
    made, failed = artifacts.draw(data, forest)
    assert failed == {}
    assert {*made} == {"evaluation.png", "permutation_importance.csv"}
    assert Image.open(io.BytesIO(made["evaluation.png"])).width > 1000


def test_a_picture_that_cannot_be_made_leaves_the_table(
    data: TrainingData, forest: Candidate
) -> None:
    broken = dataclasses.replace(forest, onnx=b"no model")
    made, failed = artifacts.draw(data, broken)
    assert [*made] == ["permutation_importance.csv"]
    assert [*failed] == ["evaluation.png"]
    assert failed["evaluation.png"] and "\n" not in failed["evaluation.png"]
