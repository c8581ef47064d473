"""Runs of the workflow that overlap, and what becomes `latest` in a real registry."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import pytest

from core.git import git, succeeds
from scripts.ci import own_commits
from tests.stack.latest import latest_of, release, small_checkout
from tests.stack.release import IMAGES, Checkout, Registry, started_registry

BAD = "bad.py"  # the lint of the runs refuses a checkout with this file
PUSHES = 6
BAD_PUSHES = (1, 3)  # the pushes after them remove the file


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Registry]:
    with started_registry(tmp_path) as running:
        yield running


class Team:
    """Clones of one origin, in which runs of the workflow answer pushes."""

    def __init__(self, origin: Path, there: Registry, folder: Path) -> None:
        self.passed: set[str] = set()
        self.released: list[str] = []  # what `latest` was after each release
        self.outputs: dict[str, str] = {}
        self.published = Event()  # by one of the runs
        self.pushing = Lock()
        self._releasing = Lock()  # like the concurrency group of the job
        self._origin = origin
        self._there = there
        self._folder = folder

    def run(self, pushed: str) -> None:
        """Do what the workflow does for a pushed commit."""
        folder = self._folder / pushed
        clone = Checkout.clone(self._origin, folder, pushed)
        if (clone.folder / BAD).exists():
            return  # lint fails
        self.passed.add(pushed)
        self._publish(clone, pushed)
        clone.push_images(REGISTRY=self._there.address)
        with self._releasing:
            output = release(clone, self._there, tested=pushed)
            self.outputs[pushed] = output
            for image in IMAGES:
                commit = latest_of(self._there, image)
                self.released.append(commit)

    def _publish(self, clone: Checkout, pushed: str) -> None:
        """Add a commit of the pipeline's own to the current tip of the branch."""
        with self.pushing:
            clone.git("fetch", "--quiet", "origin", "main")
            clone.detach("origin/main")
            run = clone.folder / "mlruns" / "runs" / pushed / "run.json"
            run.parent.mkdir(parents=True)
            run.write_text("{}", "utf-8")
            clone.commit_all(
                "chore: publish\n\n"
                f"{own_commits.TRAILER}: {pushed}\n"
                f"{own_commits.WORKFLOW}: a run"
            )
            clone.push("HEAD:main")
            self.published.set()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return small_checkout(tmp_path)


def commit_pushes(checkout: Checkout) -> list[str]:
    """Commit what the team will push, and return the commits."""
    bad = checkout.folder / BAD
    commits = []
    for number in range(PUSHES):
        if number in BAD_PUSHES:
            bad.write_text("import os\n", "utf-8")
        else:
            bad.unlink(missing_ok=True)
        commit = checkout.commit_all(f"feat: push {number}")
        commits.append(commit)
    return commits


def run_for_all_pushes(team: Team, checkout: Checkout) -> list[str]:
    """Let runs answer all pushes, and return the commits as they were pushed.

    The first run publishes on top of the second push, before the others are pushed.
    """
    first, second, *others = commit_pushes(checkout)
    runs: list[Future[None]] = []
    checkout.push(f"{second}:main")
    with ThreadPoolExecutor(PUSHES) as pool:
        runs.append(pool.submit(team.run, first))
        runs.append(pool.submit(team.run, second))
        assert team.published.wait(60)
        with team.pushing:
            checkout.git("fetch", "--quiet", "origin")
            checkout.git("rebase", "--quiet", "origin/main")
            rebased = checkout.git("rev-list", "--reverse", "origin/main..main")
            others = rebased.split()[-len(others) :]
            checkout.push()
        for pushed in others:
            runs.append(pool.submit(team.run, pushed))
        for run in runs:
            run.result()
    return [first, second, *others]


def test_no_code_that_was_not_linted_is_ever_latest(
    checkout: Checkout, there: Registry, tmp_path: Path
) -> None:
    team = Team(checkout.origin, there, tmp_path)
    pushes = run_for_all_pushes(team, checkout)

    git(checkout.folder, "fetch", "--quiet", "origin")
    first, _, third, _, fifth, last = pushes
    assert team.passed == {first, third, fifth, last}
    # Below the answer to the first push is the second one, which no run answers for.
    assert "neither linted nor tested" in team.outputs[first]
    released = {commit for commit in team.released if commit}
    assert released
    for commit in released:
        assert not succeeds(checkout.folder, "cat-file", "-e", f"{commit}:{BAD}")
        # Every push in it was linted by a run, or is an ancestor of such a push.
        foreign = own_commits.foreign(checkout.folder, commit, *team.passed)
        assert foreign == []
    # The images of the last run are `latest`: they contain everything before it.
    newest = team.released[-1]
    contains_last = ("merge-base", "--is-ancestor", last, newest)
    assert succeeds(checkout.folder, *contains_last)
    assert {latest_of(there, image) for image in IMAGES} == {newest}
