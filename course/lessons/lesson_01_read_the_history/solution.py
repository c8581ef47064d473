"""The solution of lesson 1."""

from course.lessons.lesson_01_read_the_history.questions import Questions
from course.work import Work


def solve(work: Work) -> None:
    """Answer the questions from the history."""
    work.answer(**Questions(work.copy).answers)
    work.commit("docs: answer the questions about the history")
    work.push()
