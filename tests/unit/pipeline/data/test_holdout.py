"""The hold-out is a matter of a row's content, and of nothing else."""

import numpy as np
import pandas as pd
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
    assert (
        tables.in_holdout(TASK, few.iloc[order], 0.3)
        == tables.in_holdout(TASK, few, 0.3)[order]
    ).all()


@given(st.integers(1, 400), st.floats(0.01, 0.99))
@settings(deadline=None, max_examples=20)
def test_the_same_rows_stay_held_out_as_the_data_grow(size: int, share: float) -> None:
    before = tables.in_holdout(TASK, ROWS.iloc[:size], share)
    assert (tables.in_holdout(TASK, ROWS, share)[:size] == before).all()


@given(st.floats(0.01, 0.5), st.floats(0.5, 0.99))
@settings(deadline=None, max_examples=10)
def test_a_larger_share_keeps_the_rows_of_a_smaller_one(
    small: float, large: float
) -> None:
    assert (
        tables.in_holdout(TASK, ROWS, large) | ~tables.in_holdout(TASK, ROWS, small)
    ).all()


def test_duplicates_stay_together_whatever_was_observed() -> None:
    other = ROWS.assign(risk=np.where(ROWS.risk == "good", "bad", "good"))
    held = tables.in_holdout(TASK, pd.concat([ROWS, other]), 0.2)
    assert (held[:400] == held[400:]).all()


def test_the_share_is_about_what_was_asked_for() -> None:
    assert abs(tables.in_holdout(TASK, ROWS, 0.2).mean() - 0.2) < 0.06
