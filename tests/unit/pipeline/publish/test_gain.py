"""The gain of one model over another on the same rows."""

import numpy as np
import pytest

from pipeline import tasks
from pipeline.publish import gain

HOUSING = tasks.load("housing")
GENERATOR = np.random.default_rng(0)
TRUTH = GENERATOR.normal(2, 1, 500)
OLD = TRUTH + GENERATOR.normal(0, 1, 500)


def test_the_interval_of_the_gain_is_paired() -> None:
    new = TRUTH + (OLD - TRUTH) * 0.98
    measured = gain.measure(HOUSING, TRUTH, OLD, new)
    # 2 % less error on the same rows is significant, although it is far less than the
    # spread of either.
    assert 0.015 < measured.low < measured.high < 0.025
    assert measured.p_value < 1e-6
    assert measured.low < measured.value < measured.high
    assert measured.error == pytest.approx((measured.high - measured.low) / 4, rel=0.1)
    assert measured.rows == 500
    low, high = measured.difference(HOUSING)
    assert low < high < 0  # the RMSE falls


def test_a_loss_has_the_opposite_p_value() -> None:
    new = OLD + GENERATOR.normal(0, 0.05, 500)
    forth = gain.measure(HOUSING, TRUTH, OLD, new)
    back = gain.measure(HOUSING, TRUTH, new, OLD)
    assert forth.p_value + back.p_value == pytest.approx(1)
    assert forth.low == pytest.approx(-back.high)


def test_equal_predictions_are_not_a_gain() -> None:
    measured = gain.measure(HOUSING, TRUTH, OLD, OLD.copy())
    assert (measured.low, measured.high, measured.p_value) == (0.0, 0.0, 1.0)
    assert (measured.value, measured.error) == (0.0, 0.0)
