"""Whether a row is held out depends on its content alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import tasks
from pipeline.data import table as tables
from tests.support import strategies

TASK = tasks.load("credit")
ROWS = strategies.table(TASK, 400)


@given(st.permutations(range(60)))
@settings(deadline=None, max_examples=20)
def test_order_does_not_matter(order: list[int]) -> None:
    few = ROWS.iloc[:60]
    held = tables.in_holdout(TASK, few, 0.3)
    reordered = few.iloc[order]
    held_reordered = tables.in_holdout(TASK, reordered, 0.3)
    assert (held_reordered == held[order]).all()


@given(st.integers(1, 400), st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=20)
def test_the_same_rows_stay_held_out_as_the_data_grow(size: int, share: float) -> None:
    few = ROWS.iloc[:size]
    before = tables.in_holdout(TASK, few, share)
    after = tables.in_holdout(TASK, ROWS, share)
    assert (after[:size] == before).all()


@given(st.floats(0.01, 0.5), st.floats(0.5, 0.99))
@settings(deadline=None, max_examples=10)
def test_a_larger_share_keeps_the_rows_of_a_smaller_one(
    small: float, large: float
) -> None:
    held_small = tables.in_holdout(TASK, ROWS, small)
    held_large = tables.in_holdout(TASK, ROWS, large)
    assert held_large[held_small].all()


def test_duplicates_stay_together_whatever_was_observed() -> None:
    opposite = np.where(ROWS.risk == "good", "bad", "good")
    other = ROWS.assign(risk=opposite)
    both = pd.concat([ROWS, other])
    held = tables.in_holdout(TASK, both, 0.2)
    assert (held[:400] == held[400:]).all()


def test_the_share_of_rows_is_close_to_the_setting() -> None:
    held = tables.in_holdout(TASK, ROWS, 0.2)
    assert held.mean() == pytest.approx(0.2, abs=0.06)


@given(st.permutations(range(60)), st.integers(0, 70), st.integers(0, 70))
@settings(deadline=None, max_examples=20)
def test_a_sample_is_of_the_same_rows_in_any_order_and_a_larger_one_keeps_them(
    order: list[int], small: int, large: int
) -> None:
    few = ROWS.iloc[:60]
    chosen = tables.sample(TASK, few, small)
    assert len(chosen) == min(small, 60)
    assert (np.diff(chosen) > 0).all()
    reordered = few.iloc[order]
    chosen_reordered = reordered.index[tables.sample(TASK, reordered, small)]
    assert set(chosen_reordered) == set(few.index[chosen])
    larger = tables.sample(TASK, few, max(small, large))
    assert set(larger).issuperset(chosen)
