"""What lessons 4 to 7 plant or draw: it fits the template, and each fault is one."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from course import orchard, student, yaml_text
from course.copy import Copy
from course.grading.mutate import Mutant
from course.lessons.lesson_04_red import faults as code_faults
from course.lessons.lesson_05_a_task import table
from course.lessons.lesson_06_bad_data import faults as row_faults
from course.lessons.lesson_07_behaviour import tables
from course.orchard import BY_NAME, TARGET, VARIETIES, Row
from pipeline.data import table as canonical
from tests.paths import ROOT

STUDENTS = ("ann", "ben", "eve")


@pytest.fixture(params=STUDENTS)
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Copy:
    (tmp_path / ".git").mkdir()
    (tmp_path / "course").mkdir()
    text = student.write(request.param, "1.0.0")
    (tmp_path / student.FILE).write_text(text, "utf-8")
    return Copy(tmp_path, "salt")


def parsed(content: bytes) -> list[dict[str, str]]:
    header, *lines = content.decode().splitlines()
    names = header.split(",")
    rows = []
    for line in lines:
        values = line.split(",")
        row = dict(zip(names, values, strict=True))
        rows.append(row)
    return rows


def impossible(row: Row) -> Iterator[str]:
    """Go through the columns whose value the data sheet does not allow."""
    for name, value in row.items():
        if name == "variety":
            is_possible = value in VARIETIES
        else:
            low, high = limits(name)
            is_number = isinstance(value, int | float)
            is_possible = is_number and low <= float(value) <= high
        if not is_possible:
            yield name


def limits(name: str) -> tuple[int, int]:
    """Return the smallest and the largest possible value of a column of numbers."""
    if name == TARGET:
        return 0, 150
    column = BY_NAME[name]
    return column.low, column.high


@pytest.mark.parametrize("fault", code_faults.LOGIC, ids=lambda fault: fault.name)
def test_a_fault_of_the_logic_fits_the_template(fault: Mutant) -> None:
    text = (ROOT / fault.path).read_text("utf-8")
    assert text.count(fault.before) == 1
    assert fault.after not in text
    test_file = ROOT / code_faults.TESTS[fault.path]
    assert test_file.is_file()


def test_the_three_faults_are_in_three_modules(copy: Copy) -> None:
    faults = code_faults.of(copy)
    assert len(faults.paths) == 3


def test_rows_are_compared_as_the_pipeline_writes_them(copy: Copy) -> None:
    rows = copy.orchard.season(1)
    content = canonical.to_csv(pd.DataFrame(rows))
    expected = []
    for row in parsed(content):
        values = sorted(row.items())
        expected.append(tuple(values))
    assert table.season(copy, 1) == sorted(expected)


def test_good_rows_are_possible(copy: Copy) -> None:
    rows = row_faults.good(copy)
    assert len(rows) == 2 * row_faults.OF_A_SEASON
    for row in rows:
        assert list(impossible(row)) == []


def test_each_table_has_one_impossible_row(copy: Copy) -> None:
    drawn = row_faults.faults(copy)
    assert len(drawn) == len(row_faults.SPOILERS)
    for fault in drawn:
        wrong = {}
        for number, row in enumerate(fault.rows, start=1):
            wrong[number] = set(impossible(row))
        assert wrong.pop(fault.row) == set(fault.columns), fault.name
        assert not any(wrong.values())


def test_spoilt_tables_differ_in_what_they_spoil(copy: Copy) -> None:
    rules = copy.orchard.rules
    good = parsed(tables.good(copy))
    changed = {}
    for name, content in tables.spoilt(copy).items():
        columns = set()
        for row, other in zip(parsed(content), good, strict=True):
            for column, value in row.items():
                if value != other[column]:
                    columns.add(column)
        changed[name] = columns
    assert changed == {
        "direction turned": {rules.deciding},
        "feature shuffled": {rules.deciding},
        "labels swapped": {orchard.TARGET},
        "leaked column": {rules.drifting},
        "constant": set(),
    }


def test_the_course_can_read_the_parameters_of_the_template() -> None:
    text = (ROOT / "params.yaml").read_text("utf-8")
    assert "tasks" in yaml_text.mapping(text, "params.yaml")
