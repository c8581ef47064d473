"""A class is collected: a line for each copy, whatever is wrong with it."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.git import git
from course import lesson
from course.teacher import class_check, compare, reading, sheet
from course.teacher.collect import Collection, opened
from course.teacher.roster import Row
from course.work import ANSWERS
from tests.support.course_copies import Class, Desk
from tests.support.forged_copies import FORGED, begun

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
pytestmark = [pytest.mark.slow, pytest.mark.nightly]


def test_each_copy_is_a_line_and_is_not_graded_twice(tmp_path: Path) -> None:
    rows = [Row("nobody", str(tmp_path / "nothing"))]
    rows.append(Row("eve", "ext::sh -c touch% executed"))
    for name, (spoil, _) in FORGED.items():
        source = begun(tmp_path / name, name)
        spoil(source)
        rows.append(Row(name, str(source)))
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    rows.append(Row("empty", str(empty)))
    rows.append(Row("friend", str(begun(tmp_path / "friend", "other"))))
    collection = Collection(tmp_path / "out", rows, [lesson.get(0)], NOW)
    lines = collected(collection)
    assert list(lines) == [row.handle for row in rows]
    remarks = {name: line["remarks"] for name, line in lines.items()}
    assert remarks["nobody"] == "there is no Git repository at its address"
    assert "transport 'ext' not allowed" in remarks["eve"]
    assert "it is empty" in remarks["empty"]
    assert remarks["friend"].startswith("it is the copy of other")
    for name, (_, remark) in FORGED.items():
        assert remark in remarks[name], name
        assert lines[name]["lesson 0"] == ("not graded" if remark else "passed")
    assert not list(tmp_path.rglob("executed"))
    results = sorted((tmp_path / "out" / "results").rglob("0*.json"))
    times = [path.stat().st_mtime_ns for path in results]
    assert collected(collection) == lines
    assert [path.stat().st_mtime_ns for path in results] == times


def collected(collection: Collection) -> dict[str, dict[str, str]]:
    """Collect, and return the lines of the sheet."""
    with opened(collection.folder, None):
        collection.run(lambda _: None)
    sheet.write(collection, "a <class>")
    page = (collection.folder / "grades.html").read_text("utf-8")
    assert "Grades: a &lt;class&gt;" in page
    with (collection.folder / "grades.csv").open(encoding="utf-8") as stream:
        return {line["handle"]: line for line in csv.DictReader(stream)}


def forged_desks(folder: Path) -> dict[str, Desk]:
    """Return copies of the template whose students altered the history."""
    template = Class(folder).after(-1, "template")
    desks = {}
    for student in ("honest", "edited", "foreign", "rewritten"):
        beside = template.beside(folder / student)
        desks[student] = Desk(beside.folder, student)
        desks[student].solve(0)
    edited = desks["edited"].work()
    run = next(edited.root.glob("mlruns/iris/**/run.json"))
    edited.write(run.relative_to(edited.root).as_posix(), run.read_text("utf-8") + "\n")
    edited.commit("chore: improve a metric")
    edited.push()
    foreign = desks["foreign"].work()
    models = foreign.root / "deployment" / "models"
    (models / "iris" / "model.onnx").write_bytes(
        (models / "credit" / "model.onnx").read_bytes()
    )
    foreign.commit("chore: take a better model")
    foreign.push()
    return desks


def test_an_altered_history_is_seen(tmp_path: Path) -> None:
    desks = forged_desks(tmp_path)
    rows = []
    for student, desk in desks.items():
        rows.append(Row(student, str(desk.folder / "origin.git")))
    collection = Collection(tmp_path / "out", rows, [lesson.get(0)], NOW)
    collected(collection)
    work = desks["rewritten"].work()
    work.git("commit", "--quiet", "--amend", "--message", "chore: begin once more")
    work.git("push", "--quiet", "--force", "origin", "main")
    later = Collection(tmp_path / "out", rows, [lesson.get(0)], NOW.replace(hour=13))
    lines = collected(later)
    assert lines["honest"]["history"] == "passed"
    assert not lines["honest"]["remarks"]
    assert lines["edited"]["history"] == "2 of 4"
    assert lines["foreign"]["history"] == "3 of 4"
    assert "the history was rewritten" in lines["rewritten"]["remarks"]
    page = (tmp_path / "out" / "grades.html").read_text("utf-8")
    assert "run.json was changed by" in page


def test_lessons_are_solved_once_and_a_copied_solution_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [lesson.get(0), lesson.get(1)]
    monkeypatch.setattr(lesson, "every", lambda: first)
    out = tmp_path / "out"
    solved = list(class_check.solve(out, lambda _: None))
    assert solved == [(each, "passed") for each in first]
    template = Class(tmp_path).after(-1, "template")
    rows = []
    for student in ("ann", "ben", "eve"):
        desk = Desk(template.beside(tmp_path / student).folder, student)
        desk.solve(0)
        desk.solve(1)
        rows.append(Row(student, str(desk.clone)))
    answers = (tmp_path / "ann" / "clone" / ANSWERS).read_text("utf-8")
    eve = Desk(tmp_path / "eve", "eve").work()
    eve.write(ANSWERS, answers)
    eve.commit("docs: answer again")
    lines = collected(Collection(out, rows, first, NOW))
    assert lines["ben"]["lesson 1"] == "passed"
    assert lines["eve"]["lesson 1"] != "passed"
    materials, left_out = reading.read_all(out, rows)
    assert not left_out
    pairs = compare.compare(materials, reading.solutions(out)).pairs
    assert [(pair.one, pair.other) for pair in pairs] == [("ann", "eve")]
    assert pairs[0].reasons[0] == f"the same file: {ANSWERS}"
