"""Prepares lesson 13: prints which workflow and which package are asked for."""

from course.lessons.lesson_13_supply_chain.wanted import DAYS, WORKFLOW, Wanted
from course.work import Work

TEXT = """\
The workflow of {handle}, {workflow}:
  each {day} at {hour:02}:{minute:02} UTC, and whenever somebody starts it by hand,
  it runs the session {session} of nox.

The package of {handle}: {package}, in the group `dev` of pyproject.toml.
"""


def begin(work: Work) -> str:
    """Return what the student is asked for."""
    wanted = Wanted(work.personal)
    return TEXT.format(
        handle=work.copy.student.handle,
        workflow=WORKFLOW,
        day=DAYS[wanted.day],
        hour=wanted.hour,
        minute=wanted.minute,
        session=wanted.session,
        package=wanted.package,
    )
