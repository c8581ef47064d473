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


def noisy(rows: int, seed: int) -> np.ndarray:
    """Return predictions and true values whose errors grow with them, and are skewed."""
    generator = np.random.default_rng(seed)
    predicted = generator.uniform(1, 10, rows)
    errors = generator.gumbel(0, 1, rows)
    return np.column_stack([predicted, predicted * (1 + 0.2 * errors)])


def simulate(rows: int, seed: int) -> PredictionIntervals:
    """Return intervals of noisy rows, measured on 20,000 others."""
    predicted, truth = noisy(20_000, seed + 1_000).T
    return calibrate(noisy(rows, seed), truth, predicted, ANYWHERE)


@given(arrays(float, st.tuples(st.integers(3, 60), st.just(2)), elements=WHOLE))
def test_the_rows_themselves_are_covered_and_the_levels_are_nested(
    out_of_fold: np.ndarray,
) -> None:
    predicted, truth = out_of_fold.T
    calibrated = calibrate(out_of_fold, truth, predicted, ANYWHERE)
    assert calibrated.levels
    widths = []
    for measured in calibrated.levels:
        assert measured.coverage >= measured.level / 100
        widths.append(measured.width)
    assert widths == sorted(widths)


def test_over_many_trainings_the_coverage_is_the_level() -> None:
    """That of one training varies, as its rows are drawn."""
    coverages = []
    for seed in range(100):
        levels = simulate(1_000, seed).levels
        coverages.append([measured.coverage for measured in levels])
    means = np.mean(coverages, axis=0)
    promised = np.array(LEVELS) / 100
    assert np.all(means > promised - 0.003)
    assert np.all(means < promised + 0.01)


@pytest.mark.parametrize("level", LEVELS)
def test_small_and_large_values_are_covered_alike(level: int) -> None:
    calibrated = simulate(8_000, seed=1)
    predicted, truth = noisy(50_000, seed=2).T
    low, high = calibrated.bounds(level, predicted, ANYWHERE).T
    is_covered = (low <= truth) & (truth <= high)
    for start in range(1, 10, 3):
        rows = (predicted >= start) & (predicted < start + 3)
        assert is_covered[rows].mean() == pytest.approx(level / 100, abs=0.025)


def test_few_rows_have_one_bin_and_the_levels_they_are_enough_for() -> None:
    calibrated = simulate(150, seed=1)
    assert calibrated.edges == []
    assert [measured.level for measured in calibrated.levels] == [50, 80, 90, 95]
    assert simulate(5 * 250, seed=1).edges


def test_a_constant_prediction_has_one_bin() -> None:
    out_of_fold = noisy(5_000, seed=1)
    out_of_fold[:, 0] = 5
    calibrated = calibrate(out_of_fold, np.ones(2), np.full(2, 5.0), ANYWHERE)
    assert calibrated.edges == []


def test_the_hold_out_is_only_measured_on() -> None:
    out_of_fold = noisy(2_000, seed=1)
    first = calibrate(out_of_fold, np.zeros(10), np.zeros(10), Range(-5, 9))
    other = calibrate(out_of_fold, np.ones(20) * 8, np.zeros(20), Range(-5, 9))
    assert first.edges == other.edges
    measured = {"coverage", "width"}
    for one, two in zip(first.levels, other.levels, strict=True):
        assert one.model_dump(exclude=measured) == two.model_dump(exclude=measured)
    assert first.levels[0].coverage == 1
    assert other.levels[0].coverage == 0


def test_a_training_predicts_each_row_by_a_fold_that_left_it_out() -> None:
    data = strategies.training_data("housing", 400)
    (candidate,) = fit_all(data, {"linear_regression": {}})
    assert isinstance(candidate, Candidate)
    assert candidate.out_of_fold is not None
    predicted, truth = candidate.out_of_fold.T
    target = data.train[data.task.target.name]
    assert np.array_equal(np.sort(truth), np.sort(target))
    sizes = [len(left_out) for _, left_out in data.split()]
    by_fold = np.split(truth - predicted, np.cumsum(sizes)[:-1])
    rmse = [np.sqrt(np.mean(errors**2)) for errors in by_fold]
    assert rmse == pytest.approx(candidate.folds)
    prediction = OnnxModel(candidate.onnx).predict(data.holdout)
    calibrated = intervals.of_candidate(data, candidate, prediction)
    assert calibrated
    assert [measured.level for measured in calibrated.levels] == list(LEVELS)


def test_a_classification_has_no_intervals() -> None:
    data = strategies.training_data("iris")
    (candidate,) = fit_all(data, {"linear_discriminant": {}})
    assert isinstance(candidate, Candidate)
    assert candidate.out_of_fold is None
    assert intervals.of_candidate(data, candidate, np.zeros((60, 3))) is None
