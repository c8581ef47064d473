"""A class is collected: a line for each copy, whatever is wrong with it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.git import git
from course import lesson
from course.teacher import class_check, compare, reading
from course.teacher.collect import Collection
from course.teacher.compare import Comparison
from course.teacher.roster import Row
from course.work import ANSWERS
from tests.support.course_collections import NOW, Lines, collected, ignored
from tests.support.course_copies import Class, Desk
from tests.support.forged_copies import FORGED, begun

pytestmark = [pytest.mark.slow, pytest.mark.nightly]


def forged_rows(folder: Path) -> list[Row]:
    """Return students with copies that are broken, huge or hostile."""
    rows = []
    for name, (spoil, _) in FORGED.items():
        source = begun(folder / name, name)
        spoil(source)
        row = Row(name, str(source))
        rows.append(row)
    return rows


def other_rows(folder: Path) -> list[Row]:
    """Return students without a copy of their own."""
    empty = folder / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    missing = folder / "nothing"
    friend = begun(folder / "friend", "other")
    addresses = {
        "nobody": str(missing),
        "eve": "ext::sh -c touch% executed",
        "empty": str(empty),
        "friend": str(friend),
    }
    return [Row(handle, address) for handle, address in addresses.items()]


@pytest.fixture(scope="module")
def first_collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Return a class of which no copy is as it should be, before it is collected."""
    folder = tmp_path_factory.mktemp("class")
    rows = other_rows(folder)
    rows += forged_rows(folder)
    return Collection(
        folder / "out",
        rows,
        [lesson.get(0)],
        NOW,
    )


@pytest.fixture(scope="module")
def first_lines(first_collection: Collection) -> Lines:
    """Return what its sheet says."""
    return collected(first_collection)


def test_each_copy_is_a_line(
    first_collection: Collection,
    first_lines: Lines,
) -> None:
    handles = [row.handle for row in first_collection.rows]
    assert list(first_lines) == handles


@pytest.mark.parametrize(
    ("handle", "remark"),
    [
        ("nobody", "there is no Git repository at its address"),
        ("eve", "transport 'ext' not allowed"),
        ("empty", "it is empty"),
        ("friend", "it is the copy of other"),
    ],
)
def test_a_copy_that_is_none_has_a_remark(
    first_lines: Lines,
    handle: str,
    remark: str,
) -> None:
    line = first_lines[handle]
    assert remark in line["remarks"]
    assert line["lesson 0"] == "not graded"


@pytest.mark.parametrize("name", FORGED)
def test_a_hostile_copy_is_graded_or_has_a_remark(
    first_lines: Lines,
    name: str,
) -> None:
    line = first_lines[name]
    _, remark = FORGED[name]
    assert remark in line["remarks"]
    expected = "not graded" if remark else "passed"
    assert line["lesson 0"] == expected


def test_nothing_of_a_copy_is_executed_or_graded_twice(
    first_collection: Collection,
    first_lines: Lines,
) -> None:
    folder = first_collection.folder
    times = result_times(folder)
    assert times
    assert collected(first_collection) == first_lines
    assert result_times(folder) == times
    executed = folder.parent.rglob("executed")
    assert not list(executed)


def result_times(folder: Path) -> dict[Path, int]:
    """Return when each result of a lesson was written."""
    times = {}
    results = folder / "results"
    for path in results.rglob("0*.json"):
        status = path.stat()
        times[path] = status.st_mtime_ns
    return times


def solved_rows(folder: Path, students: Sequence[str]) -> list[Row]:
    """Return students who have done lessons 0 and 1."""
    copies = Class(folder)
    template = copies.after(-1, "template")
    rows = []
    for student in students:
        beside = template.beside(folder / student)
        desk = Desk(beside.folder, student)
        desk.solve(0)
        desk.solve(1)
        row = Row(student, str(desk.clone))
        rows.append(row)
    return rows


def copy_answers(folder: Path, source: str, student: str) -> None:
    """Let a student hand in the answers of another one."""
    other = Desk(folder / source, source)
    answers = other.work().read(ANSWERS)
    desk = Desk(folder / student, student)
    work = desk.work()
    work.write(ANSWERS, answers)
    work.commit("docs: answer again")


def compared(out: Path, rows: Sequence[Row]) -> Comparison:
    """Compare copies that were collected."""
    materials, left_out = reading.read_all(out, rows)
    assert not left_out
    solutions = reading.solutions(out)
    assert solutions
    return compare.compare(materials, solutions)


def test_lessons_are_solved_once_and_a_copied_solution_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = list(map(lesson.get, (0, 1)))
    monkeypatch.setattr(lesson, "every", lambda: first)
    out = tmp_path / "out"
    for _, word in class_check.solve(out, ignored):
        assert word == "passed"
    rows = solved_rows(tmp_path, ("ann", "ben", "eve"))
    copy_answers(tmp_path, "ann", "eve")
    collection = Collection(out, rows, first, NOW)
    lines = collected(collection)
    assert lines["ben"]["lesson 1"] == "passed"
    assert lines["eve"]["lesson 1"] != "passed"
    result = compared(out, rows)
    (pair,) = result.pairs
    assert pair.one == "ann"
    assert pair.other == "eve"
    strongest = pair.reasons[0]
    assert strongest == f"the same file: {ANSWERS}"
