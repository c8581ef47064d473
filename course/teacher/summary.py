"""The summary of a workflow run: the lessons of a copy as Markdown."""

from collections.abc import Iterator, Sequence

from course.check import Result
from course.grading.result import State
from course.lesson import Lesson
from course.show import GREEN, count, marks, status

Results = Sequence[Result]
"""The results of the checks of a lesson."""

Sheet = Sequence[tuple[Lesson, Results]]
"""Each lesson with its results."""

# A check that ended so has a next step.
PENDING = (State.FAILED, State.UNGRADABLE)
HEAD = """\
## {done} of {all} lessons are done

| lesson | checks | |
|---|---|---|
"""


def markdown(sheet: Sheet, history: Results) -> str:
    """Return a table of the lessons, and the checks of the first one that is not done.

    Args:
        sheet: each lesson with its results.
        history: the results for the history.
    """
    pending = []
    rows = ""
    for lesson, results in sheet:
        word = "done"
        if status(results) != GREEN:
            word = "open"
            pending.append((lesson, results))
        title = _title(lesson, " ")
        checks = count(results)
        rows += f"| {title} | {checks} | {word} |\n"
    lessons = len(sheet)
    text = HEAD.format(
        done=lessons - len(pending),
        all=lessons,
    )
    text += rows
    if status(history) != GREEN:
        text += "\n### The history\n\n"
        text += _checks(history, "")
    if pending:
        lesson, results = pending[0]
        title = _title(lesson, ": ")
        hint = f" Hint: `python -m course hint {lesson.number}`"
        text += f"\n### Lesson {title}\n\n"
        text += _checks(results, hint)
    return text


def _title(lesson: Lesson, separator: str) -> str:
    title = lesson.front.title
    return f"{lesson.number}{separator}{title}"


def _checks(results: Results, hint: str) -> str:
    """Return a list of checks, with a hint behind each next step."""
    text = ""
    for result in results:
        for line in _lines(result, hint):
            text += f"{line}\n"
    return text


def _lines(result: Result, hint: str) -> Iterator[str]:
    """Yield at most three lines for a check."""
    verdict = result.verdict
    mark = marks()[verdict.state]
    name = result.check.name
    seen = _plain(verdict.seen)
    yield f"- {mark} {name}: {seen}"
    if verdict.expected:
        expected = _plain(verdict.expected)
        yield f"  <br>expected: {expected}"
    if verdict.state in PENDING:
        remedy = _plain(result.remedy)
        yield f"  <br>next: {remedy}{hint}"


def _plain(text: str) -> str:
    """Return what was seen, in one line and without HTML, whatever a copy holds."""
    words = text.split()
    line = " ".join(words)
    line = line.replace("&", "&amp;")
    return line.replace("<", "&lt;")
