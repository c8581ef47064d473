"""Ways to cheat in lesson 0."""

from course import student
from course.lessons.lesson_00_set_out.check import NameIsCommitted, NameIsYours
from course.work import Fake, Work

FRIEND = "a-friend"


def friend(work: Work) -> None:
    """Begin with the name of somebody else."""
    work.write(student.FILE, student.write(FRIEND, "1.0.0"))
    work.commit("chore: begin the course")


def renamed(work: Work) -> None:
    """Begin with the name of somebody else, and write one's own over it later."""
    friend(work)
    work.write(student.FILE, student.write(work.copy.owner, "1.0.0"))
    work.commit("chore: correct my name")


def uncommitted(work: Work) -> None:
    """Write the file, and commit nothing."""
    work.write(student.FILE, student.write(work.copy.owner, "1.0.0"))


def aliases(work: Work) -> None:
    """Write a file that grows without end when it is read."""
    lines = ["a: &a [x, x]"]
    lines += [f"{name}: &{name} [*a, *a]" for name in "bcdefgh"]
    work.write(student.FILE, "\n".join(lines))
    work.commit("chore: begin the course")


FAKES = (
    Fake("somebody else's name", friend, NameIsYours, "says a-friend"),
    Fake("a name that was changed", renamed, NameIsCommitted, "begun by a-friend"),
    Fake("a name that is in no commit", uncommitted, NameIsCommitted, "no commit"),
    Fake("a file with aliases", aliases, NameIsCommitted, "aliases"),
)
