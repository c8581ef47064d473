"""Ways to cheat in lesson 3."""

from course.lessons.lesson_03_a_candidate import solution
from course.lessons.lesson_03_a_candidate.check import (
    CandidateIsTried,
    ClassIsListed,
    RunIsPublished,
)
from course.personal import ALGORITHMS
from course.work import Fake, Work

SHIPPED = "sklearn.ensemble.RandomForestClassifier"


def alias(work: Work) -> None:
    """Give a class that the project ships another name."""
    solution.list_class(work, SHIPPED)
    solution.try_it(work)
    work.commit("feat: try another algorithm on iris")


def replaced(work: Work) -> None:
    """Put the class behind a name that the project ships."""
    path = ALGORITHMS[work.personal.algorithm]
    work.edit(solution.LIST, f"random_forest: {SHIPPED}", f"random_forest: {path}")
    work.commit("feat: try another algorithm on iris")


def untried(work: Work) -> None:
    """List the class, and try nothing."""
    solution.list_class(work, ALGORITHMS[work.personal.algorithm])
    work.commit("feat: list another algorithm")


def untrained(work: Work) -> None:
    """Write both lines, and train nothing."""
    solution.list_class(work, ALGORITHMS[work.personal.algorithm])
    solution.try_it(work)
    work.commit("feat: try another algorithm on iris")


def exchanged(work: Work) -> None:
    """Publish the run of a class that the project ships, then name the other one."""
    name = work.personal.algorithm
    solution.list_class(work, "sklearn.linear_model.LogisticRegression")
    line = f"      {name}: {{C: 2, solver: newton-cholesky}}\n"
    champion = solution.CHAMPION
    work.edit(solution.PARAMS, champion, f"{champion}{line}")
    work.publish("feat: try another algorithm on iris", solution.TASK)
    path = ALGORITHMS[name]
    shipped = f"  {name}: sklearn.linear_model.LogisticRegression\n"
    work.edit(solution.LIST, shipped, f"  {name}: {path}\n")
    work.commit("feat: list another algorithm")


FAKES = (
    Fake("a shipped class by another name", alias, ClassIsListed, "RandomForest"),
    Fake("another class by a shipped name", replaced, ClassIsListed, "no longer"),
    Fake("a class that is not tried", untried, CandidateIsTried, "candidates are"),
    Fake("lines without a run", untrained, RunIsPublished, "no training"),
    Fake("the run of another class", exchanged, RunIsPublished, "no training"),
)
