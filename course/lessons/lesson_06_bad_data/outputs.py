"""What the page of lesson 6 quotes."""

from course import orchard
from course.lessons.lesson_05_a_task import solution as task
from course.lessons.lesson_06_bad_data import solution
from course.work import Work

SPOILT = "build/course/spoilt.csv"
THIRD = 2
AGE = 900


def too_old(work: Work) -> str:
    """Offer a tree that is 900 years old to the task with its new ranges."""
    solution.solve(work)
    rows = work.orchard.season(1)
    rows[THIRD]["age"] = AGE
    work.write(SPOILT, orchard.to_csv(rows).decode())
    return work.run(f"python -m pipeline data add {SPOILT} --task {task.TASK}", 1)


OUTPUTS = {"too-old": too_old}
