"""How a file's columns become the task's, and which error there is if they cannot."""

import dataclasses
from typing import Any

import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from core.errors import PipelineError
from pipeline import tasks
from pipeline.data.arrange import arrange
from pipeline.data.expressions import Column, DatePart, Expression, Ratio, parse
from pipeline.data.layout import Layout
from pipeline.data.validate import validate
from pipeline.schema import Feature, Kind, Target, Task

BASE = tasks.load("iris")


def _task(layout: Layout, *features: str) -> Task:
    numbers = []
    for name in features:
        limit = 10**6
        number = Feature(name, "", example=1, low=-limit, high=limit)
        numbers.append(number)
    target = Target("kind", "", classes=("good", "bad"))
    return dataclasses.replace(
        BASE,
        kind=Kind.CLASSIFICATION,
        features=tuple(numbers),
        target=target,
        table=layout,
        sources=(),
    )


def _arranged(task: Task, raw: dict[str, list[Any]]) -> dict[str, list[Any]]:
    arranged = arrange(task, None, pd.DataFrame(raw))
    table = validate(task, arranged, "file")
    columns = table.to_dict("list")
    return {str(name): values for name, values in columns.items()}


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("income", Column("income")),
        ("Sepal.Length", Column("Sepal.Length")),
        ("total rooms", Column("total rooms")),
        ("rooms / homes", Ratio("rooms", "homes")),
        ("total rooms/100_000", Ratio("total rooms", 100_000.0)),
        ("month(sold on)", DatePart("month", "sold on")),
    ],
)
def test_an_expression_is_parsed(text: str, meaning: Expression) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    "text", ["", "a / b / c", "age(a)", "month()", "month(a) / 2", "(a)"]
)
def test_a_malformed_expression_is_named_when_the_task_is_read(text: str) -> None:
    adapter = TypeAdapter(Layout)
    message = "neither a column, nor `a / b`, nor one of year"
    with pytest.raises(ValueError, match=message):
        adapter.validate_python({"derive": {"a": text}})


def test_dates_become_their_parts() -> None:
    parts = "year", "month", "day", "weekday", "days", "hour"
    derive = {part: f"{part}(at)" for part in parts}
    task = _task(Layout(derive=derive), *parts)
    dates = ["1970-01-04 00:00", "2024-02-29T23:59:58.5+02:00"]
    assert _arranged(task, {"at": dates, "kind": ["good", "bad"]}) == {
        "year": [1970, 2024],
        "month": [1, 2],
        "day": [4, 29],
        "weekday": [7, 4],
        "days": [3, 19782],
        "hour": [0, 23],
        "kind": ["good", "bad"],
    }


@pytest.mark.parametrize(
    "value",
    [
        "03.04.2024",
        "04/03/2024",
        "2024-4-3",
        "2023-02-29",
        "20240403",
        "45385",
        "",
        "2024",
        "NaT",
    ],
)
def test_a_date_that_could_mean_another_day_is_named(value: str) -> None:
    task = _task(Layout(derive={"month": "month(at)"}), "month")
    raw = pd.DataFrame({"at": ["2024-04-03", value], "kind": ["good", "bad"]})
    with pytest.raises(
        ValueError, match="row 2, column at: the value .* is not a date such as"
    ):
        arrange(task, None, raw)


def test_an_hour_needs_a_time() -> None:
    task = _task(Layout(derive={"hour": "hour(at)"}), "hour")
    raw = pd.DataFrame({"at": ["2024-04-03"], "kind": ["good"]})
    with pytest.raises(
        ValueError, match="is not a date with a time such as 2024-04-03 12:30"
    ):
        arrange(task, None, raw)


def test_codes_ratios_and_ignored_columns() -> None:
    values = {"kind": {"1": "good", "2": "bad"}}
    task = _task(
        Layout({"rooms": "all / homes", "k": "m / 1000"}, values, ("id",)), "rooms", "k"
    )
    raw = {
        "id": ["x", "y"],
        "all": ["6", "9"],
        "homes": [2, 3],
        "m": [1, 2],
        "kind": [1, 2],
    }
    assert _arranged(task, raw) == {
        "rooms": [3, 3],
        "k": [0.001, 0.002],
        "kind": ["good", "bad"],
    }
    with pytest.raises(
        PipelineError, match="row 1, column kind: the value '3' is not one of good"
    ):
        _arranged(task, raw | {"kind": ["3", "2"]})


def test_a_file_that_has_the_task_s_columns_is_taken_as_it_is() -> None:
    task = _task(Layout(derive={"month": "month(at)"}), "month")
    assert _arranged(task, {"kind": ["good"], "month": [3]}) == {
        "month": [3],
        "kind": ["good"],
    }


@pytest.mark.parametrize(
    "raw, message",
    [
        (
            {"at": ["2024-01-02"], "kind": ["good"], "id": [1]},
            "has the unexpected column id",
        ),
        (
            {"on": ["2024-01-02"], "kind": ["good"]},
            "lacks the column at, from which month is derived",
        ),
        (
            {"at": ["2024-01-02"]},
            "lacks the column kind; the task iris expects month, kind",
        ),
        (
            {"at": ["2024-01-02"], "month": [2], "kind": ["good"]},
            "has the column month twice",
        ),
    ],
)
def test_a_column_that_is_not_understood_is_named(
    raw: dict[str, list[Any]], message: str
) -> None:
    task = _task(Layout(derive={"month": "month(at)"}), "month")
    with pytest.raises((ValueError, PipelineError), match=message):
        _arranged(task, raw)


def test_a_layout_that_does_not_fit_the_task_is_named() -> None:
    for layout, message in [
        (Layout(derive={"moth": "month(at)"}), "the task has no column moth"),
        (Layout(values={"moth": {}}), "the task has no column moth"),
        (
            Layout(derive={"month": "month / 2"}),
            "table.derive.month: month is derived itself",
        ),
    ]:
        with pytest.raises((ValueError, ValidationError), match=message):
            _task(layout, "month")
