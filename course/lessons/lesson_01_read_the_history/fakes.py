"""Ways to cheat in lesson 1."""

from typing import Any

from course.lessons.lesson_01_read_the_history.check import (
    AnswersAreThere,
    Prediction,
    RunOfAModel,
    SpoiltFile,
)
from course.lessons.lesson_01_read_the_history.questions import Questions
from course.personal import Personal
from course.work import Fake, Work

MESSAGE = "docs: answer the questions about the history"


def friend(work: Work) -> None:
    """Hand in the answers of somebody else."""
    copy = work.copy.at(work.root)
    other = Personal("another seed", "a-friend")
    # The questions of the copy, drawn for another student.
    copy.__dict__["personal"] = other
    work.answer(**Questions(copy).answers)
    work.commit(MESSAGE)


def guessed(work: Work) -> None:
    """Answer with the newest, the first and the usual."""
    answers: dict[str, Any] = Questions(work.copy).answers
    guesses = {"spoilt": "mlruns/README.md", "prediction": 0.5}
    work.answer(**answers | guesses)
    work.commit(MESSAGE)


def unanswered(work: Work) -> None:
    """Leave a question out."""
    answers = dict(Questions(work.copy).answers)
    del answers["difference"]
    work.answer(**answers)
    work.commit(MESSAGE)


def other_runs(work: Work) -> None:
    """Answer by a history that was changed to fit the answer."""
    answers = Questions(work.copy).answers
    work.answer(**answers | {"run": "0" * 32})
    path = f"mlruns/registry/{Questions(work.copy).run.task}/1.json"
    work.write(path, work.read(path).replace('"run_id": "', '"run_id": "0'))
    work.commit(MESSAGE)


FAKES = (
    Fake("a friend's answers", friend, SpoiltFile),
    Fake("guesses", guessed, Prediction),
    Fake("a question without an answer", unanswered, AnswersAreThere, "difference"),
    Fake("a history that fits the answer", other_runs, RunOfAModel),
)
