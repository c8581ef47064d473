"""Prepares lesson 10: prints the alert that is asked for."""

from course.lessons.lesson_10_alert import wanted
from course.work import Work

TEXT = """\
The alert of {handle}, a rule in {rules}:

It is named {name}. It fires for a task if more than {percent} % of the
task's requests for predictions got none, by the rates of the last five
minutes, for {minutes} minutes without a break.

- A request that got a prediction counts in prediction_duration_seconds_count,
  one that got none in prediction_errors_total, for whatever reason.
- There is one alert for each task, with the labels job and task and the
  severity warning, however many replicas and reasons there are.
- The value of the expression is the share, from 0 to 1.
- The runbook is docs/runbooks.md#{anchor}.
- The cases are in {cases}.
"""


def begin(work: Work) -> str:
    """Return what the student's alert must do."""
    return TEXT.format(
        handle=work.copy.student.handle,
        rules=wanted.RULES,
        cases=wanted.CASES,
        name=wanted.NAME,
        anchor=wanted.NAME.lower(),
        percent=work.personal.alert_percent,
        minutes=work.personal.alert_minutes,
    )
