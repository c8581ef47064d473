"""Prepares lesson 4: a branch with a commit of a colleague who was in a hurry."""

from core.errors import UsageError
from core.git import succeeds
from course.lessons.lesson_04_red import faults
from course.work import Work

BRANCH = "hurry"
MESSAGE = "feat: add two small functions"
TEXT = """\
You are on the branch {branch}, whose last commit is a colleague's:
{commit} {message}
It changes
{paths}
Something is wrong with it, in three places. Find out what, and mend it."""


def begin(work: Work) -> str:
    """Make the branch and the commit; return what the student is to know.

    Raises:
        UsageError: the branch is there, or something is not committed.
    """
    if work.git("status", "--porcelain", "--untracked-files=no"):
        raise UsageError("there are uncommitted changes: commit or stash them first.")
    if succeeds(work.root, "rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}"):
        raise UsageError(
            f"the branch {BRANCH} is there already: `git switch {BRANCH}` goes to it."
        )
    work.git("switch", "--quiet", "--create", BRANCH)
    planted = faults.of(work.copy)
    logic = planted.logic
    work.edit(logic.path, logic.before, logic.after)
    work.write(planted.style, work.read(planted.style) + faults.STYLE)
    work.write(planted.type, work.read(planted.type) + faults.TYPE)
    commit = work.commit(MESSAGE)
    return TEXT.format(
        branch=BRANCH,
        commit=commit[:7],
        message=MESSAGE,
        paths="\n".join(f"  {path}" for path in planted.paths),
    )
