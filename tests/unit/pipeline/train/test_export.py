"""The ONNX file says what the estimator says, and is the same bytes each time."""

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
}
ALL = [
    (name, algorithm)
    for name in TASKS
    for algorithm in estimators.names(tasks.load(name))
]


def _fit(data: TrainingData, algorithm: str) -> Pipeline:
    truth = evaluate.encode(data.task, data.train)
    pipeline = estimators.build(
        data.task.kind, algorithm, SMALL.get(algorithm, {}), data.features, data.seed
    )
    with threadpool_limits(
        limits=1
    ):  # as in a training; the tests' workers share the cores
        return pipeline.fit(estimators.as_inputs(data.features, data.train), truth)


def digests() -> str:
    """Return the digest of every algorithm's ONNX file on every task."""
    lines = []
    for name, algorithm in ALL:
        data = strategies.training_data(name)
        content = export.to_onnx(data.task, data.features, _fit(data, algorithm))
        lines.append(f"{name} {algorithm} {hashlib.sha256(content).hexdigest()}")
    return "\n".join(lines)


@pytest.mark.parametrize("name, algorithm", ALL)
def test_every_row_of_the_holdout_agrees(name: str, algorithm: str) -> None:
    data = strategies.training_data(name)
    fitted = _fit(data, algorithm)
    model = OnnxModel(export.to_onnx(data.task, data.features, fitted))
    inputs = estimators.as_inputs(data.features, data.holdout)
    parity = export.parity(data.task, fitted, model, inputs)
    assert (parity.mismatches, parity.rows) == (0, len(data.holdout))
    assert model.columns == tuple(feature.name for feature in data.features)
    classes = len(data.task.target.classes)
    assert model.predict(inputs).shape == ((60, classes) if classes else (60,))
    assert model.predict(data.holdout).tolist() == model.predict(inputs).tolist()


def test_a_file_that_says_something_else_is_found_out() -> None:
    data = strategies.training_data("housing")
    other = _fit(data, "linear_regression")
    model = OnnxModel(export.to_onnx(data.task, data.features, other))
    fitted = _fit(data, "random_forest")
    inputs = estimators.as_inputs(data.features, data.holdout)
    parity = export.parity(data.task, fitted, model, inputs)
    assert parity.mismatches > 50 and parity.largest_difference > data.task.tolerance


def test_a_value_that_is_no_number_is_a_mismatch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = strategies.training_data("housing")
    fitted = _fit(data, "linear_regression")
    model = OnnxModel(export.to_onnx(data.task, data.features, fitted))
    inputs = estimators.as_inputs(data.features, data.holdout)
    nothing = np.full(len(inputs), np.nan)
    monkeypatch.setattr(export, "predict_with_sklearn", lambda *_: nothing)
    assert export.parity(data.task, fitted, model, inputs).mismatches == len(inputs)


def test_one_row_on_one_thread_takes_less_than_the_budget() -> None:
    data = strategies.training_data("credit")
    model = OnnxModel(
        export.to_onnx(data.task, data.features, _fit(data, "random_forest"))
    )
    assert 0 < export.latency_ms(model, data.holdout) < 50


@pytest.mark.slow
def test_the_bytes_are_the_same_in_another_process() -> None:
    code = f"import runpy; print(runpy.run_path({__file__!r})['digests']())"
    found = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1 and len(found.pop().splitlines()) == len(ALL)
