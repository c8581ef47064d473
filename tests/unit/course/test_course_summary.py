"""What a workflow's summary and a teacher's status say about lessons."""

from datetime import UTC, datetime
from pathlib import Path

from core.files import write_atomic
from course import lesson
from course.check import Check, Result
from course.copy import Copy
from course.grading.result import State, Verdict
from course.teacher import status, summary
from course.teacher.collect import Collection
from course.teacher.roster import Row

RED = Verdict(State.FAILED, "<b>two\nlines", "one line")


class Looks(Check):
    """Look again."""

    name = "it looks"

    def run(self, copy: Copy) -> Verdict:
        """Not run here."""
        return RED


def test_a_summary_has_three_lines_for_a_red_check() -> None:
    green = [Result(Looks, Verdict(State.PASSED, "seen"))]
    sheet = [(lesson.get(0), green), (lesson.get(1), [Result(Looks, RED)])]
    text = summary.markdown(sheet, green)
    assert text.startswith("## 1 of 2 lessons are done\n")
    assert "| 0 Set out | 1 of 1 | done |" in text
    assert "| 0 of 1 | open |" in text
    assert "The history" not in text
    _, _, checks = text.partition("### Lesson 1")
    assert checks.splitlines()[2:] == [
        "- ✗ it looks: &lt;b>two lines",
        "  <br>expected: one line",
        "  <br>next: Look again. Hint: `python -m course hint 1`",
    ]
    assert "### The history" in summary.markdown(sheet, [Result(Looks, RED)])


def test_a_status_names_the_first_red_check(tmp_path: Path) -> None:
    rows = [
        Row("ann", ""),
        Row("ben", ""),
        Row("eve", ""),
    ]
    lessons = [lesson.get(0), lesson.get(1)]
    collection = Collection(tmp_path, rows, lessons, datetime.now(UTC))
    green = '{"result": {"passed": true, "checks": []}}'
    red = '{"result": {"passed": false, "checks": [{"name": "a", "state": "passed"},'
    red += ' {"name": "it looks", "state": "failed", "seen": "nothing"}]}}'
    write_atomic(collection.grader.file("ann", "00"), green)
    write_atomic(collection.grader.file("ann", "01"), red)
    for number in ("00", "01"):
        write_atomic(collection.grader.file("ben", number), green)
    write_atomic(collection.grader.file("eve", "copy"), '{"error": "it is empty"}')
    assert list(status.lines(collection)) == [
        ("ann", "1 of 2", "lesson 1: it looks: nothing"),
        ("ben", "2 of 2", "all is done"),
        ("eve", "0 of 2", "it is empty"),
    ]
