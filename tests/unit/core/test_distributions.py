"""Distributions of values, and the index of drift between two of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.distributions import Distribution, psi

COUNT = st.integers(0, 1000)
COUNTS = st.lists(COUNT, min_size=2, max_size=20).filter(any)
HALVES = [0.5, 0.5]
NUMBERS = Distribution(
    edges=[1.0, 2.0],
    shares=[0.2, 0.3, 0.5],
)
NAMES = Distribution(
    categories=["b", "a", "c"],
    shares=[0.5, 0.4, 0.1],
)


def shares_of(counts: list[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts]


@given(COUNTS)
def test_a_window_like_the_reference_has_no_drift(counts: list[int]) -> None:
    shares = shares_of(counts)
    index = psi(shares, sum(counts), np.array(counts))
    assert index == pytest.approx(0)


@given(COUNTS, st.integers(1, 100_000), st.data())
def test_any_window_has_an_index_that_is_a_number_and_not_negative(
    counts: list[int], rows: int, data: st.DataObject
) -> None:
    bins = len(counts)
    windows = st.lists(COUNT, min_size=bins, max_size=bins).filter(any)
    window = data.draw(windows)
    index = psi(shares_of(counts), rows, np.array(window))
    assert np.isfinite(index)
    assert index >= 0


def test_the_index_agrees_with_its_formula() -> None:
    first_logarithm = np.log(0.6 / 0.5)
    second_logarithm = np.log(0.4 / 0.5)
    first_bin = (0.6 - 0.5) * first_logarithm
    second_bin = (0.4 - 0.5) * second_logarithm
    expected = first_bin + second_bin
    # With so many rows, smoothing changes almost nothing.
    window = np.array([600_000_000, 400_000_000])
    index = psi(HALVES, 10**9, window)
    assert index == pytest.approx(expected, rel=1e-5)


def test_many_windows_have_many_indices() -> None:
    windows = np.array([[5, 5], [9, 1], [0, 10]])
    one_by_one = []
    for window in windows:
        index = psi(HALVES, 100, window)
        one_by_one.append(index)
    together = psi(HALVES, 100, windows)
    assert together.tolist() == one_by_one
    assert one_by_one == sorted(set(one_by_one))


@pytest.mark.parametrize(
    ("number", "number_of_bin"),
    [
        (0.5, 0),
        (1.0, 0),
        (1.1, 1),
        (2.0, 1),
        (2.1, 2),
        (99, 2),
    ],
)
def test_a_number_on_an_edge_belongs_to_the_bin_below_it(
    number: float, number_of_bin: int
) -> None:
    bins = NUMBERS.bins([number])
    assert bins.tolist() == [number_of_bin]


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([0.5, 99, 0.7], [2, 0, 1]),
        ([], [0, 0, 0]),
    ],
)
def test_numbers_are_counted_by_bin(values: list[float], counts: list[int]) -> None:
    assert NUMBERS.count(values).tolist() == counts


def test_categories_are_counted_in_their_order() -> None:
    counts = NAMES.count(["a", "b", "a"])
    assert counts.tolist() == [1, 2, 0]


def test_a_value_that_is_not_a_category_has_no_bin() -> None:
    bins = NAMES.bins(["c", "a"])
    assert bins.tolist() == [2, 1]
    with pytest.raises(KeyError, match="d"):
        NAMES.count(["d"])


def test_numbers_are_binned_between_their_deciles() -> None:
    values = np.arange(1.0, 101.0)
    numbers = Distribution.of_numbers(values)
    assert numbers.categories == []
    assert len(numbers.edges) == 9
    assert numbers.shares == [0.1] * 10
    counts = numbers.count(values)
    assert counts.tolist() == [10] * 10


def test_repeated_deciles_are_one_edge() -> None:
    zeros = [0.0] * 95
    ones = [1.0] * 5
    numbers = Distribution.of_numbers(zeros + ones)
    assert numbers.edges == [0.0]
    assert numbers.shares == [0.95, 0.05]


def test_categories_without_values_have_no_share() -> None:
    values = ["a", "b", "a", "a"]
    names = Distribution.of_categories(values, ["c", "b", "a"])
    assert names.edges == []
    assert names.categories == ["c", "b", "a"]
    assert names.shares == [0.0, 0.25, 0.75]


def test_rounded_shares_are_normalized() -> None:
    thirds = Distribution(edges=[1.0, 2.0], shares=[0.333, 0.333, 0.333])
    total = thirds.normalized().sum()
    assert total == pytest.approx(1, abs=1e-15)
