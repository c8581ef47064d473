"""Ways to cheat in lesson 8."""

from course.lessons.lesson_05_a_task import solution as task
from course.lessons.lesson_08_drift import solution
from course.lessons.lesson_08_drift.check import KEY, ColumnIsNamed, Retrained
from course.orchard import NUMBERS, Orchard
from course.personal import Personal
from course.work import Fake, Work


def only_named(work: Work) -> None:
    """Name the column, and train nothing."""
    solution.name(work)
    work.commit("docs: name the column that drifted")


def old_table(work: Work) -> None:
    """Train once more, on the table of the first season."""
    solution.name(work)
    work.edit(
        task.PARAMS, "max_depth: 3, subsample: 0.7", "max_depth: 3, subsample: 0.8"
    )
    work.publish(solution.MESSAGE, task.TASK)


def friend(work: Work) -> None:
    """Learn from the second season of somebody else."""
    other = Orchard(Personal("another seed", "a-friend"))
    solution.name(work)
    task.add_table(work, other.csv(2), solution.TABLE)
    work.publish(solution.MESSAGE, task.TASK)


def guessed(work: Work) -> None:
    """Name another column."""
    solution.name(work)
    right = work.copy.yaml("course/answers.yaml")[KEY]
    others = [column.name for column in NUMBERS if column.name != right]
    work.answer(**{KEY: others[0]})
    work.commit("docs: name the column that drifted")


FAKES = (
    Fake("a name without a training", only_named, Retrained, "other rows"),
    Fake("a training on the old season", old_table, Retrained, "other rows"),
    Fake("a friend's table", friend, Retrained, "other rows"),
    Fake("another column", guessed, ColumnIsNamed, "the answer is"),
)
