"""The summary of a workflow run: the lessons of a copy as Markdown."""

from collections.abc import Sequence

from course.check import Result
from course.grading.result import State
from course.lesson import Lesson
from course.show import GREEN, count, marks, status

Sheet = Sequence[tuple[Lesson, Sequence[Result]]]


def markdown(sheet: Sheet, history: Sequence[Result]) -> str:
    """Return a table of the lessons, and the checks of the first one that is not done.

    Args:
        sheet: each lesson with its results.
        history: the results for the history.
    """
    done = [lesson for lesson, results in sheet if status(results) == GREEN]
    lines = [f"## {len(done)} of {len(sheet)} lessons are done", ""]
    lines += ["| lesson | checks | |", "|---|---|---|"]
    for lesson, results in sheet:
        word = "done" if status(results) == GREEN else "open"
        title = f"{lesson.number} {lesson.front.title}"
        lines.append(f"| {title} | {count(results)} | {word} |")
    if status(history) != GREEN:
        lines += ["", "### The history", *_checks(history, None)]
    for lesson, results in sheet:
        if status(results) != GREEN:
            title = f"### Lesson {lesson.number}: {lesson.front.title}"
            lines += ["", title, *_checks(results, lesson)]
            break
    return "\n".join(lines) + "\n"


def _checks(results: Sequence[Result], lesson: Lesson | None) -> list[str]:
    """Return at most three lines for each check."""
    lines = [""]
    for result in results:
        verdict = result.verdict
        mark = marks()[verdict.state]
        lines.append(f"- {mark} {result.check.name}: {_plain(verdict.seen)}")
        if verdict.expected:
            lines.append(f"  <br>expected: {_plain(verdict.expected)}")
        if verdict.state in (State.FAILED, State.UNGRADABLE):
            hint = f" Hint: `python -m course hint {lesson.number}`" if lesson else ""
            lines.append(f"  <br>next: {_plain(result.remedy)}{hint}")
    return lines


def _plain(text: str) -> str:
    """Return what was seen, in one line and without HTML, whatever a copy holds."""
    line = " ".join(text.split())
    return line.replace("&", "&amp;").replace("<", "&lt;")
