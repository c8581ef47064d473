"""Prepares lesson 11: prints which metric is asked for."""

from course.lessons.lesson_11_your_metric.wanted import Wanted
from course.work import Work

TEXT = """\
The metric of {handle}, a counter that the template lacks:

{sample} counts, for each task,
{sentence}.

- Only requests to /predict and /predict/TASK that got predictions count.
- A single record, which is not in a list, is one record.
- Its only label is task.
"""


def begin(work: Work) -> str:
    """Return what the student's metric must count."""
    wanted = Wanted(work.personal)
    return TEXT.format(
        handle=work.copy.student.handle,
        sample=wanted.sample,
        sentence=wanted.sentence,
    )
