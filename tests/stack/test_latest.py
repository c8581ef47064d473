"""`latest` in a real registry: it follows what was linted and tested, and never goes
backwards.
"""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

import pytest

from core.git import git, succeeds
from scripts.ci import own_commits
from scripts.images.registry import revision
from tests.stack.engine import require_engine
from tests.stack.release import Checkout, Registry
from tools.rehearse.docker import registry

IMAGES = ("mlops-api", "mlops-mlflow", "mlops-pipeline")
BAD = "bad.py"  # what the runs' lint refuses


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    require_engine()
    found = Checkout(tmp_path)
    found.shrink()
    return found


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Registry]:
    if not shutil.which("docker-registry"):
        pytest.skip(
            "there is no registry to push to: `apt-get install docker-registry`"
        )
    with registry(tmp_path) as address:
        yield Registry(address)


def latest_of(there: Registry, image: str = "mlops-api") -> str:
    """Return the commit that `latest` of an image is of; nothing if there is none."""
    if not there.digest(image, "latest"):
        return ""
    return revision(there.name(image), ":latest", dict(os.environ))


def release(checkout: Checkout, there: Registry, tested: str = "") -> str:
    """Move `latest` to the commit that is checked out; return what was printed."""
    checkout.told()
    known = {"REGISTRY": there.address} | ({"GITHUB_SHA": tested} if tested else {})
    code, said, wrong = checkout.run("images", "latest", **known)
    assert code == 0, wrong
    return said


def build(checkout: Checkout, there: Registry) -> None:
    code, _, wrong = checkout.run("images", "push", REGISTRY=there.address)
    assert code == 0, wrong


def test_latest_moves_to_what_is_newer_and_never_back(
    checkout: Checkout, there: Registry
) -> None:
    older = checkout.commit
    code, _, wrong = checkout.run("images", "latest", REGISTRY=there.address)
    assert code == 1
    missing = f"{there.name('mlops-pipeline')}:sha-{older}"
    assert wrong.endswith(
        f"error: {missing} is not in the registry, push it first: see above.\n"
    )

    # Though the branch has gone on: a class that pushes more often than a run takes
    # gets images.
    build(checkout, there)
    newer = checkout.commit_all("feat: the next one")
    checkout.git("push", "--quiet", "origin", "main")
    checkout.git("switch", "--quiet", "--detach", older)
    release(checkout, there)
    tag = f"sha-{older}"
    named = " ".join(
        f"{there.name(image)}@{there.digest(image, tag)}" for image in IMAGES
    )
    assert checkout.told() == {"digests": named}
    assert {latest_of(there, image) for image in IMAGES} == {older}

    checkout.git("switch", "--quiet", "main")
    build(checkout, there)
    release(checkout, there)
    assert {latest_of(there, image) for image in IMAGES} == {newer}
    checkout.git("switch", "--quiet", "--detach", older)
    said = release(checkout, there)
    assert said.startswith(f"`latest` stays where it is: it is of {newer[:9]} already")
    assert checkout.told() == {} and latest_of(there) == newer

    # A commit that was taken off the branch is nothing to ship; what replaced it is.
    checkout.git("switch", "--quiet", "--create", "again", older)
    other = checkout.commit_all("feat: instead of it")
    build(checkout, there)
    assert "is on no branch of origin" in release(checkout, there)
    checkout.git("push", "--quiet", "--force", "origin", "again:main")
    release(checkout, there)
    assert {latest_of(there, image) for image in IMAGES} == {other}


def test_a_move_that_fails_half_way_is_taken_back(
    checkout: Checkout, there: Registry, tmp_path: Path
) -> None:
    build(checkout, there)
    release(checkout, there)
    before = {image: there.digest(image, "latest") for image in IMAGES}
    checkout.commit_all("feat: the next one")
    checkout.git("push", "--quiet", "origin", "main")
    build(checkout, there)
    # The registry can write nothing more for the image that moves last.
    tags = tmp_path / "registry" / "docker" / "registry" / "v2" / "repositories"
    current = (
        tags
        / there.repository
        / "mlops-api"
        / "_manifests"
        / "tags"
        / "latest"
        / "current"
    )
    (current / "link").unlink()
    (current / "link").mkdir()
    code, _, wrong = checkout.run("images", "latest", REGISTRY=there.address)
    assert code == 1 and "error: " in wrong
    for image in IMAGES[1:]:
        assert there.digest(image, "latest") == before[image]


class Team:
    """Clones of one origin, in which runs of the workflow answer pushes."""

    def __init__(self, checkout: Checkout, there: Registry, folder: Path) -> None:
        self.first, self.there, self.folder = checkout, there, folder
        self.passed: set[str] = set()
        self.seen: list[str] = []
        self.said: dict[str, str] = {}
        self.pushing, self.releasing = Lock(), Lock()
        self.published = Event()  # by one of the runs

    def run(self, pushed: str) -> None:
        """Do what the workflow does for a pushed commit."""
        clone = Checkout.clone(self.first.origin, self.folder / pushed, pushed)
        if (clone.folder / BAD).exists():
            return  # lint fails
        self.passed.add(pushed)
        self.publish(clone, pushed)
        build(clone, self.there)
        with self.releasing:  # one at a time, as the job's concurrency group has it
            self.said[pushed] = release(clone, self.there, tested=pushed)
            self.seen += [latest_of(self.there, image) for image in IMAGES]

    def publish(self, clone: Checkout, pushed: str) -> None:
        """Put a commit of the pipeline's own on top of the tip, whatever that is by
        now.
        """
        with self.pushing:
            clone.git("fetch", "--quiet", "origin", "main")
            clone.git("checkout", "--quiet", "--detach", "origin/main")
            run = clone.folder / "mlruns" / "runs" / pushed / "run.json"
            run.parent.mkdir(parents=True)
            run.write_text("{}", "utf-8")
            trailers = f"{own_commits.TRAILER}: {pushed}\n{own_commits.WORKFLOW}: a run"
            clone.commit_all(f"chore: publish\n\n{trailers}")
            clone.git("push", "--quiet", "origin", "HEAD:main")
            self.published.set()


def test_no_code_that_was_not_linted_is_ever_latest(
    checkout: Checkout, there: Registry, tmp_path: Path
) -> None:
    team, pushes = Team(checkout, there, tmp_path), []
    bad = checkout.folder / BAD
    for number in range(6):
        if number in (1, 3):  # these two fail lint, the pushes after them mend it
            bad.write_text("import os\n", "utf-8")
        else:
            bad.unlink(missing_ok=True)
        pushes.append(checkout.commit_all(f"feat: push {number}"))
    # The first run publishes, on top of the second push, before the others push.
    checkout.git("push", "--quiet", "origin", f"{pushes[1]}:main")
    with ThreadPoolExecutor(6) as pool:
        early = [pool.submit(team.run, pushed) for pushed in pushes[:2]]
        assert team.published.wait(60)
        with team.pushing:
            checkout.git("fetch", "--quiet", "origin")
            checkout.git("rebase", "--quiet", "origin/main")
            pushes[2:] = checkout.git(
                "rev-list", "--reverse", "origin/main..main"
            ).split()[-4:]
            checkout.git("push", "--quiet", "origin", "main")
        late = [pool.submit(team.run, pushed) for pushed in pushes[2:]]
        for run in (*early, *late):
            run.result()

    git(checkout.folder, "fetch", "--quiet", "origin")
    assert team.passed == {pushes[0], pushes[2], pushes[4], pushes[5]}
    # Below the answer to the first push lies the second one, which no run answers for.
    assert "neither linted nor tested" in team.said[pushes[0]]
    assert any(team.seen)
    for commit in filter(None, team.seen):
        assert not succeeds(checkout.folder, "cat-file", "-e", f"{commit}:{BAD}")
        # Every push in it is one that a run has linted, or lies below such a one.
        assert own_commits.foreign(checkout.folder, commit, *team.passed) == []
    # The last run has all that came before it, and nothing after it: its images are
    # `latest`.
    assert succeeds(
        checkout.folder, "merge-base", "--is-ancestor", pushes[5], team.seen[-1]
    )
    assert {latest_of(there, image) for image in IMAGES} == {team.seen[-1]}
