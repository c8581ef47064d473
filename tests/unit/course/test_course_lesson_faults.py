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
    return [
        dict(zip(header.split(","), line.split(","), strict=True)) for line in lines
    ]


def impossible(row: Row) -> Iterator[str]:
    """Go through the columns whose value the data sheet does not allow."""
    for name, value in row.items():
        if name == "variety":
            if value not in VARIETIES:
                yield name
            continue
        low, high = 0, 150
        if name != TARGET:
            low, high = BY_NAME[name].low, BY_NAME[name].high
        if not isinstance(value, int | float) or not low <= value <= high:
            yield name


@pytest.mark.parametrize("fault", code_faults.LOGIC, ids=lambda fault: fault.name)
def test_a_fault_of_the_logic_fits_the_template(fault: Mutant) -> None:
    text = (ROOT / fault.path).read_text("utf-8")
    assert text.count(fault.before) == 1
    assert fault.after not in text
    assert (ROOT / code_faults.TESTS[fault.path]).is_file()


def test_the_three_faults_are_in_three_modules(copy: Copy) -> None:
    assert len(code_faults.of(copy).paths) == 3


def test_rows_are_compared_as_the_pipeline_writes_them(copy: Copy) -> None:
    rows = copy.orchard.season(1)
    written = parsed(canonical.to_csv(pd.DataFrame(rows)))
    expected = sorted(tuple(sorted(row.items())) for row in written)
    assert table.season(copy, 1) == expected


def test_good_rows_are_possible(copy: Copy) -> None:
    rows = row_faults.good(copy)
    assert len(rows) == 2 * row_faults.OF_A_SEASON
    assert [name for row in rows for name in impossible(row)] == []


def test_each_table_has_one_impossible_row(copy: Copy) -> None:
    drawn = row_faults.faults(copy)
    assert len(drawn) == len(row_faults.SPOILERS)
    for fault in drawn:
        wrong = {place: set(impossible(row)) for place, row in enumerate(fault.rows, 1)}
        assert wrong.pop(fault.row) == set(fault.columns), fault.name
        assert not any(wrong.values())


def test_spoilt_tables_differ_in_what_they_spoil(copy: Copy) -> None:
    rules = copy.orchard.rules
    good = parsed(tables.good(copy))
    changed = {}
    for name, content in tables.spoilt(copy).items():
        columns = set()
        for row, other in zip(parsed(content), good, strict=True):
            columns |= {column for column in row if row[column] != other[column]}
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
