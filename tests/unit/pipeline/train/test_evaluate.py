"""Metrics are those of scikit-learn, and never a number that is none."""

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

HOUSING, IRIS, CREDIT = (tasks.load(name) for name in ("housing", "iris", "credit"))
RANDOM = np.random.default_rng(0)
VALUES = RANDOM.normal(2, 1, 200)
GUESSES = VALUES + RANDOM.normal(0, 0.5, 200)


def test_regression() -> None:
    found = evaluate.metrics(HOUSING, VALUES, GUESSES)
    assert found == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(VALUES, GUESSES),
            "mae": sk.mean_absolute_error(VALUES, GUESSES),
            "r2": sk.r2_score(VALUES, GUESSES),
        }
    )


@pytest.mark.parametrize("task", [IRIS, CREDIT], ids=lambda task: task.name)
def test_classification(task: Task) -> None:
    classes = len(task.target.classes)
    places = RANDOM.integers(0, classes, 200)
    probability = RANDOM.dirichlet(np.ones(classes), 200)
    table = pd.DataFrame({task.target.name: np.array(task.target.classes)[places]})
    named = probability.argmax(axis=1)
    values = probability if classes > 2 else probability[:, 1]
    squares = ((probability - np.eye(classes)[places]) ** 2).sum(axis=1)
    assert evaluate.metrics(
        task, evaluate.encode(task, table), probability
    ) == pytest.approx(
        {
            "log_loss": sk.log_loss(places, probability),
            "roc_auc": sk.roc_auc_score(places, values, multi_class="ovr"),
            "accuracy": sk.accuracy_score(places, named),
            "f1_macro": sk.f1_score(places, named, average="macro"),
            "brier": squares.mean(),
        }
    )


def test_an_interval_holds_the_value_and_is_the_same_each_time() -> None:
    rmse = evaluate.scorer(HOUSING, "rmse", VALUES, GUESSES)
    low, high = evaluate.interval(rmse, len(VALUES), seed=1)
    assert low < evaluate.score(HOUSING, "rmse", VALUES, GUESSES) < high < 1.3 * low
    assert evaluate.interval(rmse, len(VALUES), seed=1) == (low, high)


def test_a_resample_without_a_class_is_left_out() -> None:
    truth = np.array([0] * 9 + [1])
    probability = np.column_stack(
        [np.linspace(0.9, 0.1, 10), np.linspace(0.1, 0.9, 10)]
    )
    auc = evaluate.scorer(CREDIT, "roc_auc", truth, probability)
    low, high = evaluate.interval(auc, len(truth), seed=0)
    assert low == high == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(PipelineError, match="housing: the metric rmse is not a number"):
        evaluate.metrics(HOUSING, VALUES, np.append(GUESSES[1:], bad))


def test_a_metric_that_is_no_number_is_refused() -> None:
    with pytest.raises(
        PipelineError, match="credit: the metric roc_auc is not a number"
    ):
        evaluate.score(CREDIT, "roc_auc", np.zeros(3, dtype=int), np.full((3, 2), 0.5))


def test_judging_needs_none_of_the_training_s_libraries() -> None:
    code = "import sys, pipeline.train.evaluate, core.onnx_model; "
    code += (
        "print(sorted({'mlflow', 'skl2onnx', 'matplotlib', 'sklearn'} &"
        " set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
