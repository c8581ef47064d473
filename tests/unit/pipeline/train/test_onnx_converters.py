"""Boosted trees of other libraries decide in ONNX as they do by themselves."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PipelineError
from core.onnx_model import OnnxModel
from pipeline import tasks
from pipeline.schema import Kind
from pipeline.train import estimators, export
from pipeline.train.onnx_converters import _round_down
from tests.support import strategies

single = st.floats(width=32, allow_nan=False, allow_infinity=False)
threshold = st.floats(-3e38, 3e38)


@given(single, threshold)
def test_a_rounded_threshold_separates_the_same_numbers(
    value: float, limit: float
) -> None:
    rounded = _round_down(limit)
    assert (value <= limit) == (value <= rounded)
    assert float(np.float32(rounded)) == rounded


def test_values_one_step_of_float32_apart_are_separated() -> None:
    data = strategies.training_data("housing")
    features = data.features[:1]
    low = np.float32(1.0)
    values = [low]
    for _ in range(3):
        values.append(np.nextafter(values[-1], np.float32(2)))
    table = pd.DataFrame({features[0].name: np.repeat(values, 50)})
    truth = np.repeat([0.0, 1.0, 0.0, 1.0], 50)
    parameters = {"n_estimators": 20, "min_child_samples": 5}
    pipeline = estimators.build(
        Kind.REGRESSION, "lightgbm", parameters, features, seed=0
    )
    inputs = estimators.as_inputs(features, table)
    pipeline.fit(inputs, truth)
    assert pipeline.predict(inputs[::50]).std() > 0.3

    model = OnnxModel(export.to_onnx(data.task, features, pipeline))
    parity = export.parity(data.task, pipeline, model, inputs)
    assert parity.mismatches == 0


def test_a_library_that_cannot_be_loaded_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def import_nothing(name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file\nmore")

    monkeypatch.setattr(estimators, "import_module", import_nothing)
    with pytest.raises(PipelineError) as caught:
        estimators.build(Kind.REGRESSION, "lightgbm", {}, [], seed=0)
    sentence = str(caught.value)
    assert sentence.startswith("lightgbm cannot be used")
    assert "libgomp.so.1: cannot open shared object file)" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("algorithm", ["lightgbm", "xgboost"])
def test_an_early_stop_and_threads_are_not_configurable(algorithm: str) -> None:
    for task in tasks.names():
        kind = tasks.load(task).kind
        accepted = estimators.parameter_names(kind, algorithm)
        assert {"n_estimators", "learning_rate"} <= set(accepted)
        assert not {"early_stopping_rounds", "n_jobs", "device"} & set(accepted)


def test_a_threshold_of_zero_stays_zero() -> None:
    assert math.copysign(1, _round_down(0.0)) == 1
