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
from pipeline.train.candidates import Study
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


def _fit(study: Study, algorithm: str) -> Pipeline:
    truth = evaluate.encode(study.task, study.train)
    pipeline = estimators.build(
        study.task.kind, algorithm, SMALL.get(algorithm, {}), study.features, study.seed
    )
    with threadpool_limits(
        limits=1
    ):  # as in a training; the tests' workers share the cores
        return pipeline.fit(estimators.as_inputs(study.features, study.train), truth)


def digests() -> str:
    """Return the digest of every algorithm's ONNX file on every task."""
    lines = []
    for name, algorithm in ALL:
        study = strategies.study(name)
        content = export.to_onnx(study.task, study.features, _fit(study, algorithm))
        lines.append(f"{name} {algorithm} {hashlib.sha256(content).hexdigest()}")
    return "\n".join(lines)


@pytest.mark.parametrize("name, algorithm", ALL)
def test_every_row_of_the_holdout_agrees(name: str, algorithm: str) -> None:
    study = strategies.study(name)
    fitted = _fit(study, algorithm)
    model = OnnxModel(export.to_onnx(study.task, study.features, fitted))
    inputs = estimators.as_inputs(study.features, study.holdout)
    parity = export.parity(study.task, fitted, model, inputs)
    assert (parity.mismatches, parity.rows) == (0, len(study.holdout))
    assert model.columns == tuple(feature.name for feature in study.features)
    classes = len(study.task.target.classes)
    assert model.predict(inputs).shape == ((60, classes) if classes else (60,))
    assert model.predict(study.holdout).tolist() == model.predict(inputs).tolist()


def test_a_file_that_says_something_else_is_found_out() -> None:
    study = strategies.study("housing")
    other = _fit(study, "linear_regression")
    model = OnnxModel(export.to_onnx(study.task, study.features, other))
    fitted = _fit(study, "random_forest")
    inputs = estimators.as_inputs(study.features, study.holdout)
    parity = export.parity(study.task, fitted, model, inputs)
    assert parity.mismatches > 50 and parity.largest_difference > study.task.tolerance


def test_a_value_that_is_no_number_is_a_mismatch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = strategies.study("housing")
    fitted = _fit(study, "linear_regression")
    model = OnnxModel(export.to_onnx(study.task, study.features, fitted))
    inputs = estimators.as_inputs(study.features, study.holdout)
    nothing = np.full(len(inputs), np.nan)
    monkeypatch.setattr(export, "predict_with_sklearn", lambda *_: nothing)
    assert export.parity(study.task, fitted, model, inputs).mismatches == len(inputs)


def test_one_row_on_one_thread_takes_less_than_the_budget() -> None:
    study = strategies.study("credit")
    model = OnnxModel(
        export.to_onnx(study.task, study.features, _fit(study, "random_forest"))
    )
    assert 0 < export.latency_ms(model, study.holdout) < 50


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
