"""Distributions of values, and the index of drift between two of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.distributions import Distribution, psi

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=20).filter(any)


@given(COUNTS)
def test_a_window_like_the_reference_has_no_drift(counts: list[int]) -> None:
    total = sum(counts)
    assert psi(
        [count / total for count in counts], total, np.array(counts)
    ) == pytest.approx(0)


@given(COUNTS, st.integers(1, 100_000), st.data())
def test_any_window_has_an_index_that_is_a_number_and_not_negative(
    counts: list[int], rows: int, data: st.DataObject
) -> None:
    other = data.draw(
        st.lists(
            st.integers(0, 1000), min_size=len(counts), max_size=len(counts)
        ).filter(any)
    )
    found = psi([count / sum(counts) for count in counts], rows, np.array(other))
    assert np.isfinite(found) and found >= 0


def test_the_index_is_the_one_of_the_books() -> None:
    expected = (0.6 - 0.5) * np.log(0.6 / 0.5) + (0.4 - 0.5) * np.log(0.4 / 0.5)
    assert psi([0.5, 0.5], 10**9, np.array([6, 4]) * 10**8) == pytest.approx(
        expected, rel=1e-5
    )


def test_many_windows_are_many_indices() -> None:
    windows = np.array([[5, 5], [9, 1], [0, 10]])
    alone = [psi([0.5, 0.5], 100, window) for window in windows]
    assert psi([0.5, 0.5], 100, windows).tolist() == alone
    assert alone[0] < alone[1] < alone[2]


def test_a_number_on_an_edge_belongs_below_it() -> None:
    numbers = Distribution(edges=[1.0, 2.0], shares=[0.2, 0.3, 0.5])
    assert numbers.count([0.5, 1.0, 1.1, 2.0, 2.1, 99]).tolist() == [2, 2, 2]
    assert numbers.count([]).tolist() == [0, 0, 0]


def test_categories_are_counted_in_their_order() -> None:
    names = Distribution(categories=["b", "a", "c"], shares=[0.5, 0.4, 0.1])
    assert names.count(["a", "b", "a"]).tolist() == [1, 2, 0]


def test_numbers_are_binned_between_their_deciles() -> None:
    values = np.arange(1, 101) * 1.0
    numbers = Distribution.of_numbers(values)
    assert len(numbers.edges) == 9 and numbers.categories == []
    assert numbers.shares == [0.1] * 10
    assert numbers.count(values).tolist() == [10] * 10


def test_repeated_deciles_are_one_edge() -> None:
    numbers = Distribution.of_numbers([0.0] * 95 + [1.0] * 5)
    assert numbers.edges == [0.0] and numbers.shares == [0.95, 0.05]


def test_categories_without_values_have_no_share() -> None:
    names = Distribution.of_categories(["a", "b", "a", "a"], ["c", "b", "a"])
    assert names.categories == ["c", "b", "a"] and names.edges == []
    assert names.shares == [0.0, 0.25, 0.75]
    assert names.bins(["a", "c"]).tolist() == [2, 0]
    with pytest.raises(KeyError, match="d"):
        names.count(["d"])


def test_rounded_shares_are_normalized() -> None:
    thirds = Distribution(edges=[1.0, 2.0], shares=[0.333, 0.333, 0.333])
    assert thirds.normalized().sum() == pytest.approx(1, abs=1e-15)
