"""Derived features have the same bits in an estimator and in its ONNX file."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

from pipeline.data.derived import DerivedFeature, Place, parse
from pipeline.train import export, onnx_converters
from pipeline.train.derived_columns import DerivedColumns

COLUMNS = ["a", "b", "c"]
PLACES: dict[str, tuple[Place, ...]] = {
    "one": ((34.05, -118.24),),
    "many": (
        (37.77, -122.42),
        (36.6, -121.9),
        (32.53, -117.12),
    ),
}
DEFINITIONS = {
    "sum": "a + b",
    "ratio": "c / b",
    "nearest": "distance(a, b, many)",
    "difference": "a - c",
    "product": "b * c",
    "single": "distance(a, b, one)",
    "turned": "distance(b, a, many)",
    "twice": "a + a",
}
SESSIONS: dict[tuple[str, ...], onnxruntime.InferenceSession] = {}


def step_of(*names: str) -> DerivedColumns:
    definitions = {name: DEFINITIONS[name] for name in names}
    return DerivedColumns(parse(definitions, PLACES), COLUMNS)


def session_of(names: tuple[str, ...]) -> onnxruntime.InferenceSession:
    """Return the ONNX graph of some features; each is converted once."""
    if names not in SESSIONS:
        onnx_converters.register()
        inputs = [("table", FloatTensorType([None, len(COLUMNS)]))]
        step = step_of(*names)
        model = to_onnx(step, initial_types=inputs, target_opset=export.OPSET)
        SESSIONS[names] = onnxruntime.InferenceSession(model.SerializeToString())
    return SESSIONS[names]


number = st.floats(-1e6, 1e6, width=32).filter(lambda value: abs(value) > 1e-3)
feature_names = st.sampled_from(
    [
        tuple(DEFINITIONS),
        ("sum",),
        ("single",),
        ("nearest", "ratio"),
        ("single", "nearest"),
        ("product", "turned", "nearest"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(feature_names, st.lists(st.tuples(number, number, number), min_size=1))
def test_every_bit_is_the_same(
    names: tuple[str, ...], rows: list[tuple[float, float, float]]
) -> None:
    table = np.array(rows, dtype=np.float32)
    expected = step_of(*names).transform(table).astype(np.float32)
    (actual,) = session_of(names).run(None, {"table": table})
    assert actual.tobytes() == expected.tobytes()


def column(name: str, *row: float) -> float:
    (values,) = step_of(name).transform(pd.DataFrame([row], columns=COLUMNS))
    return float(values[0])


def test_the_values_are_those_of_the_definitions() -> None:
    assert column("sum", 1, 2, 3) == 3
    assert column("difference", 1, 2, 3) == -2
    assert column("product", 1, 2, 3) == 6
    assert column("ratio", 1, 2, 3) == 1.5


def test_a_distance_is_in_kilometres_and_to_the_nearest_place() -> None:
    # From San Francisco to Los Angeles, along a great circle.
    assert column("single", 37.77, -122.42, 0) == pytest.approx(559, rel=0.02)
    assert column("nearest", 36.6, -121.9, 0) == 0
    assert column("nearest", 36.6, -121.8, 0) == pytest.approx(8.93, rel=0.01)


def test_the_step_can_be_cloned_and_is_fitted_without_data() -> None:
    features: list[DerivedFeature] = step_of("sum").features
    step = DerivedColumns(features, COLUMNS).fit(None)
    assert step.transform([[1, 2, 3]]).tolist() == [[3]]
