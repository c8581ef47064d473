"""The luck in the gain of a promoted challenger, and the metric without it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.publish.winners_luck import corrected, expected
from pipeline.schema import Metric

ROWS = 2000
LEVEL = 0.0005
LEAST = float(stats.t.isf(LEVEL, ROWS - 1))
ABOVE_LEAST = st.floats(0.001, 20)


@given(ABOVE_LEAST, st.floats(1e-4, 10), st.integers(20, 5000), st.floats(1e-9, 0.05))
def test_luck_is_a_part_of_the_gain(
    above: float, error: float, rows: int, level: float
) -> None:
    least = float(stats.t.isf(level, rows - 1))
    gain = (least + above) * error
    luck = expected(gain, error, rows, level)
    assert -1e-9 * gain <= luck <= gain


@given(ABOVE_LEAST, st.floats(0.01, 5))
def test_the_larger_a_gain_the_less_of_it_is_luck(above: float, more: float) -> None:
    smaller = expected(LEAST + above, 1.0, ROWS, LEVEL)
    larger = expected(LEAST + above + more, 1.0, ROWS, LEVEL)
    # Of gains so small that all is luck, the larger has more of it.
    assert larger < smaller + 1e-6 or smaller == pytest.approx(LEAST + above)


@given(ABOVE_LEAST, st.floats(0.001, 1000))
def test_luck_has_the_unit_of_the_gain(above: float, unit: float) -> None:
    gain = LEAST + above
    luck = expected(gain, 1.0, ROWS, LEVEL)
    in_unit = expected(gain * unit, unit, ROWS, LEVEL)
    assert in_unit == pytest.approx(luck * unit, abs=1e-6 * unit)


def test_a_gain_that_is_just_enough_was_all_luck() -> None:
    gain = LEAST + 0.01
    assert expected(gain, 1.0, ROWS, LEVEL) == gain


def test_a_gain_far_beyond_the_least_was_none() -> None:
    assert expected(LEAST + 6, 1.0, ROWS, LEVEL) == pytest.approx(0, abs=1e-6)


def test_a_gain_that_is_the_same_on_every_row_is_certain() -> None:
    assert expected(0.1, 0.0, ROWS, LEVEL) == 0


@pytest.mark.parametrize("true", [2.5, 3.5, 4.0])
def test_half_of_the_estimates_for_promoted_challengers_are_too_large(
    true: float,
) -> None:
    generator = np.random.default_rng(3)
    shown = generator.normal(true, 1, 40_000)
    promoted = shown[shown > LEAST][:600]
    estimates = [gain - expected(gain, 1.0, ROWS, LEVEL) for gain in promoted.tolist()]
    are_too_large = np.array(estimates) > true
    assert len(promoted) == 600
    assert are_too_large.mean() == pytest.approx(0.5, abs=0.06)
    are_without_correction = promoted > true
    assert are_without_correction.mean() > 0.6


def test_the_corrected_metric_is_worse_and_the_measured_one_stays() -> None:
    accuracy = Metric("accuracy", higher_is_better=True)
    log_loss = Metric("log_loss", higher_is_better=False)
    measured = {"accuracy": 0.9, "log_loss": 0.25}
    higher = corrected(accuracy, measured, 0.125)
    assert higher == measured | {"accuracy_corrected": pytest.approx(0.775)}
    lower = corrected(log_loss, measured, 0.125)
    assert lower == measured | {"log_loss_corrected": 0.375}


def test_a_model_that_met_no_champion_has_no_corrected_metric() -> None:
    accuracy = Metric("accuracy", higher_is_better=True)
    measured = {"accuracy": 0.9}
    assert corrected(accuracy, measured, None) == measured
