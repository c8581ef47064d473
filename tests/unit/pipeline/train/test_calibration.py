"""Prediction intervals cover what their level promises, for small and large values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.intervals import LEVELS, PredictionIntervals, Range
from core.onnx_model import OnnxModel
from pipeline.train import intervals
from pipeline.train.candidates import Candidate, fit_all
from pipeline.train.intervals import calibrate
from tests.support import strategies

ANYWHERE = Range(None, None)
# Exact in 6 digits, so that no rounding moves a bound past an error.
WHOLE = st.integers(-1000, 1000)
TABLE_SHAPES = st.tuples(st.integers(3, 60), st.just(2))


def noisy(rows: int, seed: int) -> np.ndarray:
    """Return predictions and true values whose errors grow with them, and are skewed."""
    generator = np.random.default_rng(seed)
    predicted = generator.uniform(1, 10, rows)
    errors = generator.gumbel(0, 1, rows)
    truth = predicted * (1 + 0.2 * errors)
    return np.column_stack([predicted, truth])


def simulate(rows: int, seed: int) -> PredictionIntervals:
    """Return intervals of noisy rows, measured on 20,000 others."""
    out_of_fold = noisy(rows, seed)
    predicted, truth = noisy(20_000, seed + 1_000).T
    return calibrate(out_of_fold, truth, predicted, ANYWHERE)


def levels_of(calibrated: PredictionIntervals) -> list[int]:
    return [measured.level for measured in calibrated.levels]


@given(arrays(float, TABLE_SHAPES, elements=WHOLE))
def test_the_rows_themselves_are_covered_and_the_levels_are_nested(
    out_of_fold: np.ndarray,
) -> None:
    predicted, truth = out_of_fold.T
    calibrated = calibrate(out_of_fold, truth, predicted, ANYWHERE)
    assert calibrated.levels
    widths = []
    for measured in calibrated.levels:
        share = measured.level / 100
        assert measured.coverage >= share
        widths.append(measured.width)
    assert widths == sorted(widths)


def test_over_many_trainings_the_coverage_is_the_level() -> None:
    """That of one training varies, as its rows are drawn."""
    coverages = []
    for seed in range(100):
        calibrated = simulate(1_000, seed)
        of_levels = [measured.coverage for measured in calibrated.levels]
        coverages.append(of_levels)
    means = np.mean(coverages, axis=0)
    promised = np.array(LEVELS) / 100
    assert np.all(means > promised - 0.003)
    assert np.all(means < promised + 0.01)


@pytest.mark.parametrize("level", LEVELS)
def test_small_and_large_values_are_covered_alike(level: int) -> None:
    calibrated = simulate(8_000, seed=1)
    predicted, truth = noisy(50_000, seed=2).T
    low, high = calibrated.bounds(level, predicted, ANYWHERE).T
    is_above_low = low <= truth
    is_below_high = truth <= high
    is_covered = is_above_low & is_below_high
    for start in (1, 4, 7):
        end = start + 3
        rows = (predicted >= start) & (predicted < end)
        coverage = is_covered[rows].mean()
        assert coverage == pytest.approx(level / 100, abs=0.025)


def test_few_rows_have_one_bin_and_the_levels_they_are_enough_for() -> None:
    calibrated = simulate(150, seed=1)
    assert calibrated.edges == []
    assert levels_of(calibrated) == [50, 80, 90, 95]
    enough = 5 * 250
    assert simulate(enough, seed=1).edges


def test_a_constant_prediction_has_one_bin() -> None:
    out_of_fold = noisy(5_000, seed=1)
    out_of_fold[:, 0] = 5
    truth = np.ones(2)
    predicted = np.full(2, 5.0)
    calibrated = calibrate(out_of_fold, truth, predicted, ANYWHERE)
    assert calibrated.edges == []


def test_the_hold_out_is_only_measured_on() -> None:
    out_of_fold = noisy(2_000, seed=1)
    limits = Range(-5, 9)
    zeros = np.zeros(10)
    eights = np.full(10, 8.0)
    first = calibrate(out_of_fold, zeros, zeros, limits)
    other = calibrate(out_of_fold, eights, zeros, limits)
    assert first.edges == other.edges
    measured = {"coverage", "width"}
    for one, two in zip(first.levels, other.levels, strict=True):
        of_first = one.model_dump(exclude=measured)
        of_other = two.model_dump(exclude=measured)
        assert of_first == of_other
    assert first.levels[0].coverage == 1
    assert other.levels[0].coverage == 0


def test_a_training_predicts_each_row_by_a_fold_that_left_it_out() -> None:
    data = strategies.training_data("housing", 400)
    (candidate,) = fit_all(data, {"linear_regression": {}})
    assert isinstance(candidate, Candidate)
    assert candidate.out_of_fold is not None
    predicted, truth = candidate.out_of_fold.T
    target = data.train[data.task.target.name]
    assert sorted(truth) == sorted(target)
    sizes = [len(left_out) for _, left_out in data.split()]
    ends = np.cumsum(sizes)
    errors = truth - predicted
    errors_by_fold = np.split(errors, ends[:-1])
    rmse = []
    for errors in errors_by_fold:
        mean_squared_error = np.mean(errors**2)
        rmse.append(np.sqrt(mean_squared_error))
    assert rmse == pytest.approx(candidate.folds)
    model = OnnxModel(candidate.onnx)
    prediction = model.predict(data.holdout)
    calibrated = intervals.of_candidate(data, candidate, prediction)
    assert calibrated
    assert levels_of(calibrated) == list(LEVELS)


def test_a_classification_has_no_intervals() -> None:
    data = strategies.training_data("iris")
    (candidate,) = fit_all(data, {"linear_discriminant": {}})
    assert isinstance(candidate, Candidate)
    assert candidate.out_of_fold is None
    prediction = np.zeros((60, 3))
    assert intervals.of_candidate(data, candidate, prediction) is None
