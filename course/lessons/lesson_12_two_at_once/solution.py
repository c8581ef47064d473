"""The solution of lesson 12."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.git import git
from course.grading import worktree
from course.lessons.lesson_12_two_at_once.check import TEST
from course.work import Work

TASK = "iris"
MESSAGE = "test: publish twice at once"
RACE = '''\
"""Two publications at once: both land, and the second sees the first."""

from collections.abc import Callable
from pathlib import Path

from pipeline.publish.loop import Change, land
from pipeline.repo import Repo
from tests.support.publishing import note, show


def test_a_push_that_comes_first_is_built_upon(
    clone: Callable[..., Repo], origin: Path
) -> None:
    """Another clone pushes while the first one is at work."""
    mine, other = clone("mine"), clone("other")
    attempts = []

    def change(tip: Repo) -> Change:
        attempts.append(tip)
        if len(attempts) == 1:
            land(other, "origin", "main", note("theirs"))
        return note("mine")(tip)

    land(mine, "origin", "main", change)

    assert len(attempts) == 2
    assert show(origin, "results/theirs.txt") == "theirs"
    assert show(origin, "results/mine.txt") == "mine"
    assert show(origin, "results/count") == "2"
'''


def solve(work: Work) -> None:
    """Commit the test, then publish this commit from two clones at once."""
    work.write(TEST, RACE)
    work.commit(MESSAGE)
    work.push()
    publish_twice(work)


def publish_twice(work: Work) -> None:
    """Train in two clones, publish in both at the same time, and take it in."""
    with worktree.folder() as folder:
        desks = [work, second(work, folder / "other")]
        for desk in desks:
            desk.run(f"python -m pipeline train --task {TASK}")
        command = f"python -m pipeline publish --branch {work.branch}"
        with ThreadPoolExecutor() as pool:
            landings = [pool.submit(desk.run, command) for desk in desks]
        for landing in landings:
            landing.result()
    work.pull()


def second(work: Work, folder: Path) -> Work:
    """Return the hands of the same student in a second clone."""
    origin = work.git("remote", "get-url", "origin")
    options = ("clone", "--quiet", "--branch", work.branch)
    git(work.root, *options, origin, str(folder))
    for key in ("user.name", "user.email"):
        git(folder, "config", key, work.git("config", key))
    return Work(work.copy.at(folder))
