"""The drift between two tables, estimated from their distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.distributions import Distribution, psi
from pipeline.site import data_drift

ROWS = 5000
NUMBERS = st.lists(
    st.floats(-1e6, 1e6, allow_subnormal=False), min_size=10, max_size=30
)


def normal(shift: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, ROWS)


@given(NUMBERS)
@settings(max_examples=20)
def test_a_table_has_not_moved_from_itself(numbers: list[float]) -> None:
    distribution = Distribution.of_numbers(numbers)
    drift = data_drift.between(distribution, distribution, 100_000, 100_000)
    assert drift == pytest.approx(0.0, abs=1e-4)


@given(NUMBERS, NUMBERS)
@settings(max_examples=20)
def test_drift_is_never_negative(one: list[float], other: list[float]) -> None:
    drift = data_drift.between(
        Distribution.of_numbers(one),
        Distribution.of_numbers(other),
        len(one),
        len(other),
    )
    assert drift is not None
    assert drift >= 0


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5, 1.0])
def test_the_estimate_is_close_to_the_index_of_the_rows(shift: float) -> None:
    earlier = Distribution.of_numbers(normal(0.0, seed=1))
    rows = normal(shift, seed=2)
    exact = psi(earlier.shares, ROWS, earlier.count(rows))
    later = Distribution.of_numbers(rows)
    estimate = data_drift.between(earlier, later, ROWS, ROWS)
    assert estimate == pytest.approx(exact, rel=0.1, abs=0.01)


def test_categories_are_compared_exactly() -> None:
    names = ["a", "b"]
    values = ["a"] * 50 + ["b"] * 50
    earlier = Distribution.of_categories(values, names)
    values = ["a"] * 80 + ["b"] * 20
    later = Distribution.of_categories(values, names)
    exact = psi(earlier.shares, 100, earlier.count(values))
    assert data_drift.between(earlier, later, 100, 100) == pytest.approx(exact)


def test_a_feature_of_another_kind_has_no_drift() -> None:
    number = Distribution.of_numbers([1.0, 2.0, 3.0])
    category = Distribution.of_categories(["a"], ["a"])
    other = Distribution.of_categories(["b"], ["b"])
    assert data_drift.between(number, category, 3, 1) is None
    assert data_drift.between(category, other, 1, 1) is None
