"""Metrics equal those of scikit-learn; one that is not a number is an error."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from core.errors import PipelineError
from pipeline import tasks
from pipeline.schema import Task
from pipeline.train import evaluate

HOUSING = tasks.load("housing")
IRIS = tasks.load("iris")
CREDIT = tasks.load("credit")
# Prints the libraries of training that an evaluation loads.
LOADED = """
import sys
import core.onnx_model
import pipeline.train.evaluate

libraries = {"mlflow", "skl2onnx", "matplotlib", "sklearn"}
print(sorted(libraries.intersection(sys.modules)))
"""
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(2, 1, 200)
GUESSES = VALUES + RANDOM.normal(0, 0.5, 200)


def test_the_metrics_of_a_regression_are_those_of_scikit_learn() -> None:
    metrics = evaluate.metrics(HOUSING, VALUES, GUESSES)
    expected = {
        "rmse": sk.root_mean_squared_error(VALUES, GUESSES),
        "mae": sk.mean_absolute_error(VALUES, GUESSES),
        "r2": sk.r2_score(VALUES, GUESSES),
    }
    assert metrics == pytest.approx(expected)


@pytest.mark.parametrize("task", [IRIS, CREDIT], ids=lambda task: task.name)
def test_the_metrics_of_a_classification_are_those_of_scikit_learn(task: Task) -> None:
    target = task.target
    classes = np.array(target.classes)
    count = len(classes)
    truth = RANDOM.integers(0, count, 200)
    probability = RANDOM.dirichlet(np.ones(count), 200)
    table = pd.DataFrame({target.name: classes[truth]})
    encoded = evaluate.encode(task, table)
    metrics = evaluate.metrics(task, encoded, probability)

    winners = probability.argmax(axis=1)
    scores = probability
    if count == 2:
        scores = probability[:, 1]
    one_hot = np.eye(count)[truth]
    squares = (probability - one_hot) ** 2
    brier = squares.sum(axis=1).mean()
    expected = {
        "log_loss": sk.log_loss(truth, probability),
        "roc_auc": sk.roc_auc_score(truth, scores, multi_class="ovr"),
        "accuracy": sk.accuracy_score(truth, winners),
        "f1_macro": sk.f1_score(truth, winners, average="macro"),
        "brier": brier,
    }
    assert metrics == pytest.approx(expected)


def test_an_interval_holds_the_value_and_is_the_same_each_time() -> None:
    rmse = evaluate.scorer(HOUSING, "rmse", VALUES, GUESSES)
    count = len(VALUES)
    low, high = evaluate.interval(rmse, count, seed=1)
    value = evaluate.score(HOUSING, "rmse", VALUES, GUESSES)
    assert low < value < high
    assert high < 1.3 * low
    assert evaluate.interval(rmse, count, seed=1) == (low, high)


def test_a_resample_without_a_class_is_left_out() -> None:
    truth = np.array([0] * 9 + [1])
    rising = np.linspace(0.1, 0.9, 10)
    probability = np.column_stack([1 - rising, rising])
    auc = evaluate.scorer(CREDIT, "roc_auc", truth, probability)
    low, high = evaluate.interval(auc, len(truth), seed=0)
    assert low == high == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_not_a_number_is_refused(bad: float) -> None:
    guesses = np.append(GUESSES[1:], bad)
    with pytest.raises(PipelineError, match="housing: the metric rmse is not a number"):
        evaluate.metrics(HOUSING, VALUES, guesses)


def test_a_metric_that_is_not_a_number_is_refused() -> None:
    truth = np.zeros(3, dtype=int)
    probability = np.full((3, 2), 0.5)
    message = "credit: the metric roc_auc is not a number"
    with pytest.raises(PipelineError, match=message):
        evaluate.score(CREDIT, "roc_auc", truth, probability)


def test_evaluation_needs_none_of_the_libraries_of_training() -> None:
    process = subprocess.run(
        [sys.executable, "-c", LOADED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == "[]\n"
