"""The ONNX file predicts as the estimator does, and is the same bytes each time."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core.onnx_model import OnnxModel
from pipeline import tasks
from pipeline.train import estimators, evaluate, export
from pipeline.train.training_data import TrainingData
from tests.paths import ROOT
from tests.support import strategies
from tests.support.service import TASKS

SMALL = {
    "random_forest": {"n_estimators": 10, "max_depth": 6},
    "gradient_boosting": {"n_estimators": 10},
    "hist_gradient_boosting": {"max_iter": 10},
    "lightgbm": {"n_estimators": 10},
    "xgboost": {"n_estimators": 10},
    "stacking": {
        "estimators": {
            "random_forest": {"max_depth": 3},
            "xgboost": {"n_estimators": 5},
        },
        "folds": 3,
    },
    "calibrated": {"estimator": {"random_forest": {"n_estimators": 5}}, "folds": 3},
}
ALL = []
for task_name in TASKS:
    for algorithm_name in estimators.names(tasks.load(task_name)):
        ALL.append((task_name, algorithm_name))


def _fit(data: TrainingData, algorithm: str) -> Pipeline:
    pipeline = estimators.build(
        data.task.kind,
        algorithm,
        SMALL.get(algorithm, {}),
        data.features,
        data.seed,
        data.derived,
    )
    inputs = estimators.as_inputs(data.features, data.train)
    truth = evaluate.encode(data.task, data.train)
    # As in a training; the tests' workers share the cores.
    with threadpool_limits(limits=1):
        return pipeline.fit(inputs, truth)


def _to_onnx(data: TrainingData, fitted: Pipeline) -> bytes:
    return export.to_onnx(data.task, data.features, fitted)


def digests() -> str:
    """Return the digest of every algorithm's ONNX file on every task."""
    lines = []
    for name, algorithm in ALL:
        data = strategies.training_data(name)
        fitted = _fit(data, algorithm)
        content = _to_onnx(data, fitted)
        digest = hashlib.sha256(content).hexdigest()
        lines.append(f"{name} {algorithm} {digest}")
    return "\n".join(lines)


@pytest.mark.parametrize("name, algorithm", ALL)
def test_every_row_of_the_holdout_agrees(name: str, algorithm: str) -> None:
    data = strategies.training_data(name)
    fitted = _fit(data, algorithm)
    model = OnnxModel(_to_onnx(data, fitted))
    inputs = estimators.as_inputs(data.features, data.holdout)
    parity = export.parity(data.task, fitted, model, inputs)
    assert parity.mismatches == 0
    assert parity.rows == len(data.holdout)

    names = [feature.name for feature in data.features]
    assert list(model.columns) == names
    prediction = model.predict(inputs)
    classes = data.task.target.classes
    if classes:
        assert prediction.shape == (60, len(classes))
    else:
        assert prediction.shape == (60,)
    of_table = model.predict(data.holdout)
    assert of_table.tolist() == prediction.tolist()


def test_the_file_of_another_model_has_mismatches() -> None:
    data = strategies.training_data("housing")
    other = _fit(data, "linear_regression")
    model = OnnxModel(_to_onnx(data, other))
    fitted = _fit(data, "random_forest")
    inputs = estimators.as_inputs(data.features, data.holdout)
    parity = export.parity(data.task, fitted, model, inputs)
    assert parity.mismatches > 50
    assert parity.largest_difference > data.task.tolerance


def test_a_value_that_is_not_a_number_is_a_mismatch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = strategies.training_data("housing")
    fitted = _fit(data, "linear_regression")
    model = OnnxModel(_to_onnx(data, fitted))
    inputs = estimators.as_inputs(data.features, data.holdout)
    count = len(inputs)
    nothing = np.full(count, np.nan)
    monkeypatch.setattr(export, "predict_with_sklearn", lambda *_: nothing)
    parity = export.parity(data.task, fitted, model, inputs)
    assert parity.mismatches == count


def test_one_row_on_one_thread_takes_less_than_the_budget() -> None:
    data = strategies.training_data("credit")
    fitted = _fit(data, "random_forest")
    model = OnnxModel(_to_onnx(data, fitted))
    latency = export.latency_ms(model, data.holdout)
    assert 0 < latency < 50


@pytest.mark.slow
@pytest.mark.nightly
def test_the_bytes_are_the_same_in_another_process() -> None:
    code = f"import runpy; print(runpy.run_path({__file__!r})['digests']())"
    outputs = []
    for seed in ("1", "2"):
        variables = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        process = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(process.stdout)
    first, second = outputs
    assert first == second
    assert len(first.splitlines()) == len(ALL)
