"""Prepares lesson 1: the questions, and a copy of the history with one altered file."""

import json
import textwrap

from course.grading import worktree
from course.lessons.lesson_01_read_the_history.questions import Questions
from course.work import Work

FOLDER = "build/course/spoilt"
PARTS = ("params.yaml", "mlruns", "deployment/models")
TEXT = """\
The questions of {handle}. Write the answers into course/answers.yaml,
each behind its word:

run         The API answers with {run}. Which run made this model?
            All 32 characters.
algorithm   Which candidate became the challenger in the training {algorithm}?
refused     The gate refused the challenger of {refused}. Which of its checks
            failed? A list with their names.
difference  {metric} of run {one}
            minus that of run {other}.
            With four decimals.
spoilt      One file below {folder}/mlruns was altered.
            Which? Its path from mlruns on.
prediction  What does {served} answer to this row? The number; for classes, the
            probability of the last one. With three decimals.
{row}
"""
WIDTH = 78
INDENT = " " * 12


def begin(work: Work) -> str:
    """Write the spoilt copy, and return the questions."""
    questions = Questions(work.copy)
    target = work.root / FOLDER
    if target.exists():
        work.remove(FOLDER)
    target.mkdir(parents=True)
    for part in PARTS:
        worktree.write(work.copy, work.copy.started, part, target)
    file = target / questions.spoilt
    file.write_bytes(questions.alter(file.read_bytes()))
    return _text(work, questions)


def _text(work: Work, questions: Questions) -> str:
    one, other, metric = questions.compared
    return TEXT.format(
        handle=work.copy.student.handle,
        run=questions.run.name,
        algorithm=questions.algorithm["name"],
        refused=questions.refused["name"],
        metric=metric,
        one=one["run_id"],
        other=other["run_id"],
        folder=FOLDER,
        served=questions.served.name,
        row=_wrapped(json.dumps(questions.row)),
    )


def _wrapped(row: str) -> str:
    """Return JSON in lines that fit below the question."""
    return textwrap.fill(
        row,
        WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_on_hyphens=False,
    )
