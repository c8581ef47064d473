"""Writes `course/README.md`, the syllabus, from the heads of the lessons' pages."""

import sys
from collections.abc import Sequence

from core.files import write_atomic
from course import lesson
from course.classroom import ROOT
from course.lesson import Lesson
from scripts import console

FILE = "course/README.md"
TRACKS = {"core": "short and long", "more": "long", "open": "at your own pace"}
HEAD = """\
# Syllabus

`nox -s docs` writes this page from the lessons; do not edit it.
[The course](../docs/course.md) says how to begin.

The short course is for a day, the long one for half a term. A lesson needs those in the column
*after*: `python -m course start N` does for you what you have not done.

| lesson | what you can do then | after | course | minutes |
|---|---|---|---|---|
"""


def page(lessons: Sequence[Lesson]) -> str:
    """Return the text of the syllabus."""
    text = HEAD
    for each in lessons:
        text += _line(each)
    return text + f"\n{_times(lessons)}\n"


def _line(lesson: Lesson) -> str:
    front = lesson.front
    needs = ", ".join(str(number) for number in front.needs)
    cells = (
        f"[{lesson.number} {front.title}](lessons/{lesson.folder}/lesson.md)",
        front.aim,
        needs or "-",
        TRACKS[front.track],
        str(front.minutes),
    )
    line = " | ".join(cells)
    return f"| {line} |\n"


def _times(lessons: Sequence[Lesson]) -> str:
    short = 0
    whole = 0
    for each in lessons:
        front = each.front
        if front.track == "core":
            short += front.minutes
        if front.track != "open":
            whole += front.minutes
    return f"The short course takes {_hours(short)}, the long one {_hours(whole)}."


def _hours(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min"


def main() -> None:
    """Write the page."""
    write_atomic(ROOT / FILE, page(lesson.every()).encode())


if __name__ == "__main__":
    sys.exit(console.run(main))
