"""A bad table is refused in one sentence: what, where, what to do."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from core.errors import PipelineError
from pipeline import tasks
from pipeline.data.validate import validate
from tests.support import strategies

TASK = tasks.load("credit")


def _set(column: str, value: Any) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table = table.astype({column: object})
        table.loc[6, column] = value
        return table

    return change


BAD: list[tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    (lambda t: t.drop(columns="age"), "lacks the column age; the task credit expects"),
    (lambda t: t.assign(height=1), "has the unexpected column height"),
    (
        lambda t: pd.concat([t, t[["age"]]], axis=1),
        "has the column age twice",
    ),
    (
        lambda t: t.rename(columns={"age": "Age"}),
        "lacks the column age and has the unexpected column Age",
    ),
    (
        _set("age", float("nan")),
        "row 7, column age: the value nan is not a number from 18 to 100",
    ),
    (_set("age", ""), "row 7, column age: the value '' is not a number from 18 to 100"),
    (
        _set("age", "old"),
        "row 7, column age: the value 'old' is not a number from 18 to 100",
    ),
    (
        _set("age", 17.5),
        "row 7, column age: the value 17.5 is not a number from 18 to 100",
    ),
    (
        _set("amount", float("inf")),
        "row 7, column amount: the value inf is not a number from",
    ),
    (
        _set("housing", "tent"),
        "row 7, column housing: the value 'tent' is not one of rent, own, ",
    ),
    (_set("housing", None), "row 7, column housing: the value None is not one of"),
    (
        _set("risk", "none"),
        "row 7, column risk: the value 'none' is not one of good, bad",
    ),
    (lambda t: t.iloc[:0], "has no rows"),
]


@pytest.mark.parametrize("change, message", BAD)
def test_a_wrong_column_or_value_is_named(
    change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    with pytest.raises(PipelineError, match=re.escape(message)) as caught:
        validate(TASK, change(strategies.table(TASK, 20)), "rows.csv")
    assert str(caught.value).startswith("rows.csv: ")
    assert "\n" not in str(caught.value)


def test_the_first_bad_row_is_named_and_the_others_counted() -> None:
    table = strategies.table(TASK, 20).astype({"age": object})
    table.loc[[3, 8], "age"] = 0
    table.loc[2, "purpose"] = "yacht"
    with pytest.raises(
        PipelineError, match=r"row 3, column purpose: .*\(2 more values are wrong"
    ):
        validate(TASK, table, "rows.csv")


def test_text_and_numbers_give_the_same_table() -> None:
    table = strategies.table(TASK, 20)
    pd.testing.assert_frame_equal(validate(TASK, table.astype(str), "rows.csv"), table)
