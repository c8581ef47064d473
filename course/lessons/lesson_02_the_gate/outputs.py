"""What the page of lesson 2 quotes."""

from course.lessons.lesson_02_the_gate import solution
from course.work import Work


def refused(work: Work) -> str:
    """Publish the careful model with which the lesson begins."""
    solution.empty(work)
    solution.begin_with(work, 0.01)
    return work.publish("feat: compare iris with a simple model", solution.TASK)


OUTPUTS = {"refused": refused}
