"""The bounds of predictions, from the offsets that a manifest holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.intervals import MeasuredLevel, PredictionIntervals, Range

ANYWHERE = Range(None, None)
INTERVALS = PredictionIntervals(
    edges=[1.0, 2.0],
    levels=[
        MeasuredLevel(
            level=90,
            coverage=0.9,
            width=1.0,
            low=[-0.1, -0.2, -0.3],
            high=[1, 2, 3],
        )
    ],
)


def test_the_offsets_are_those_of_the_prediction_s_bin() -> None:
    predictions = [0.5, 1.0, 1.5, 2.0, 2.5]
    bounds = INTERVALS.bounds(90, predictions, ANYWHERE)
    offsets = bounds - np.array(predictions)[:, None]
    expected = [
        [-0.1, 1],
        [-0.1, 1],
        [-0.2, 2],
        [-0.2, 2],
        [-0.3, 3],
    ]
    assert offsets == pytest.approx(np.array(expected))


def test_without_edges_all_predictions_share_one_bin() -> None:
    update = {"low": [-1.0], "high": [1.0]}
    of_90 = INTERVALS.levels[0].model_copy(update=update)
    intervals = PredictionIntervals(edges=[], levels=[of_90])
    bounds = intervals.bounds(90, [-5, 5], ANYWHERE)
    assert bounds.tolist() == [[-6, -4], [4, 6]]


@given(st.lists(st.floats(-10, 10), max_size=20))
def test_no_bound_is_beyond_the_limits(predictions: list[float]) -> None:
    bounds = INTERVALS.bounds(90, predictions, Range(0, 4.5))
    assert bounds.shape == (len(predictions), 2)
    assert np.all((bounds >= 0) & (bounds <= 4.5))


def test_another_level_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="91"):
        INTERVALS.bounds(91, [1.0], ANYWHERE)
