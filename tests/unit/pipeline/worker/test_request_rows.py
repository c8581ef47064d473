"""Rows as clients send them: by name or in order, with the target among them or beside
them.
"""

from dataclasses import replace
from typing import Any

import pytest

from core.errors import UsageError
from pipeline import tasks
from pipeline.worker.request_rows import table

IRIS = tasks.load("iris")
HOUSING = tasks.load("housing")
NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
COLUMNS = [*NAMES, "species"]
ROW = [5.1, 3.5, 1.4, 0.2]
NAMED = dict(zip(NAMES, ROW, strict=True))


def test_rows_in_order_and_records_make_the_same_table() -> None:
    complete = NAMED | {"species": "setosa"}
    expected = table(IRIS, [complete], None)
    assert list(expected.columns) == COLUMNS
    values = expected.iloc[0]
    assert values.to_list() == ["5.1", "3.5", "1.4", "0.2", "setosa"]
    reversed_row = dict(reversed(NAMED.items()))
    for row in (ROW, NAMED, reversed_row):
        read = table(IRIS, [row], ["setosa"])
        in_order = read[COLUMNS]
        assert in_order.equals(expected)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "setosa"),
        (2, "virginica"),
        (1.0, "versicolor"),
        ("setosa", "setosa"),
        # A value that is not a class stays as it is, and is refused with its row.
        (3, "3"),
        (-1, "-1"),
        (0.5, "0.5"),
        (True, "True"),
        ("0", "0"),
        (None, "None"),
        (10**400, str(10**400)),
        (float("inf"), "inf"),
    ],
)
def test_a_class_may_be_its_number(value: Any, label: str) -> None:
    read = table(IRIS, [ROW], [value])
    assert read["species"].to_list() == [label]


def test_a_class_comes_before_the_number_of_a_class() -> None:
    target = replace(IRIS.target, classes=("1", "2", "0"))
    coded = replace(IRIS, target=target)
    read = table(coded, [ROW] * 3, [1, 2.0, 0])
    assert read["species"].to_list() == ["1", "2", "0"]


def test_the_target_of_a_regression_is_left_as_it_is() -> None:
    row = [8.3, 41, 6.9, 1.0, 322, 2.5, 37.9, -122.2]
    data = [row] * 2
    read = table(HOUSING, data, [0, 4.526])
    assert read["MedHouseVal"].to_list() == ["0.0", "4.526"]


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (
            [ROW],
            None,
            "target is missing: send the species of each row, in the order of data.",
        ),
        (
            [ROW, ROW],
            ["setosa"],
            "target has 1 value and data has 2 rows: send one species for",
        ),
        (
            [ROW, ROW[:3]],
            ["setosa"] * 2,
            "row 2 has 3 values, but iris has 4 features: send sepal",
        ),
        ([ROW + [1]], ["setosa"], "row 1 has 5 values, but iris has 4 features"),
        ([[]], ["setosa"], "row 1 has 0 values"),
        (
            [NAMED | {"species": "setosa"}],
            ["setosa"],
            "species is in data and in target",
        ),
    ],
)
def test_rows_and_targets_that_do_not_match_are_refused(
    data: list[Any], target: list[Any] | None, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        table(IRIS, data, target)
    error = str(caught.value)
    assert message in error
    assert "\n" not in error
