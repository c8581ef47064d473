"""What a student did to the history is in the sheet of the class."""

from datetime import datetime
from pathlib import Path

import pytest

from core.file_names import MODELS
from course import lesson
from course.teacher import sheet
from course.teacher.collect import Collection
from course.teacher.roster import Row
from tests.support.course_collections import NOW, Line, collected
from tests.support.course_copies import Class, Desk

STUDENT = "ann"
MODEL = "model.onnx"
pytestmark = [pytest.mark.slow, pytest.mark.nightly]


class History:
    """A copy in which lesson 0 is done, and the collection of a class with it alone."""

    def __init__(self, template: Desk, folder: Path) -> None:
        copy = template.beside(folder / STUDENT)
        self.desk = Desk(copy.folder, STUDENT)
        self.desk.solve(0)
        self.out = folder / "out"

    @property
    def page(self) -> str:
        """The page of the class."""
        file = self.out / sheet.PAGE
        return file.read_text("utf-8")

    def collect(self, now: datetime = NOW) -> Line:
        """Collect it, and return its line."""
        origin = self.desk.folder / "origin.git"
        row = Row(STUDENT, str(origin))
        collection = Collection(
            self.out,
            [row],
            [lesson.get(0)],
            now,
        )
        lines = collected(collection)
        return lines[STUDENT]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return a fresh copy."""
    folder = tmp_path_factory.mktemp("class")
    copies = Class(folder)
    return copies.after(-1, "template")


@pytest.fixture
def history(template: Desk, tmp_path: Path) -> History:
    """Return the copy of a student who did nothing wrong."""
    return History(template, tmp_path)


def test_an_honest_history_passes(history: History) -> None:
    line = history.collect()
    assert line["history"] == "passed"
    assert not line["remarks"]


def test_an_edited_run_is_seen(history: History) -> None:
    work = history.desk.work()
    runs = work.root.glob("mlruns/iris/**/run.json")
    run = next(runs)
    text = run.read_text("utf-8")
    path = run.relative_to(work.root)
    name = path.as_posix()
    work.write(name, f"{text}\n")
    work.commit("chore: improve a metric")
    work.push()
    line = history.collect()
    assert line["history"] == "2 of 4"
    assert "run.json was changed by" in history.page


def test_a_foreign_model_is_seen(history: History) -> None:
    work = history.desk.work()
    models = work.root / MODELS
    model = models / "iris" / MODEL
    foreign = models / "credit" / MODEL
    content = foreign.read_bytes()
    model.write_bytes(content)
    work.commit("chore: take a better model")
    work.push()
    line = history.collect()
    assert line["history"] == "3 of 4"


def test_a_history_that_was_rewritten_is_seen(history: History) -> None:
    history.collect()
    work = history.desk.work()
    message = "chore: begin once more"
    work.git("commit", "--quiet", "--amend", "--message", message)
    work.git("push", "--quiet", "--force", "origin", "main")
    later = NOW.replace(hour=13)
    line = history.collect(later)
    assert "the history was rewritten" in line["remarks"]
