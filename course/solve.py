"""`course solve`: the solution of a lesson, in the copy or as a patch."""

from core.file_names import OWNED
from core.git import git
from course import begin
from course.copy import Copy
from course.grading import worktree
from course.lesson import Lesson
from course.work import Work


def solve(copy: Copy, lesson: Lesson) -> str:
    """Solve a lesson in the copy, and return the commits' first lines.

    Raises:
        UsageError: there are uncommitted changes.
        PipelineError: a step fails.
    """
    begin.require_clean(copy)
    before = copy.head
    lesson.solve(Work(copy, str(lesson.number)))
    return copy.git("log", "--reverse", "--format=%h %s", f"{before}..HEAD")


def patch(copy: Copy, lesson: Lesson) -> str:
    """Return what the solution changes, without what the pipeline writes.

    It is made in a clone with an origin of its own; neither the copy nor its origin
    change.
    """
    with worktree.folder() as folder:
        bare = folder / "origin.git"
        clone = folder / "clone"
        git(folder, "clone", "--quiet", "--bare", str(copy.root), str(bare))
        git(folder, "clone", "--quiet", str(bare), str(clone))
        for key in ("user.name", "user.email"):
            value = _setting(copy, key)
            git(clone, "config", key, value)
        lesson.solve(Work(copy.at(clone)))
        others = [f":!{path}" for path in OWNED]
        return git(clone, "diff", copy.head, "HEAD", "--", ".", *others)


def _setting(copy: Copy, key: str) -> str:
    """Return a setting of Git in the copy, with a default for those who have none."""
    default = "student"
    if key.endswith("email"):
        default = "student@example.org"
    return git(copy.root, "config", "--get", "--default", default, key)
