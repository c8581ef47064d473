"""The pipeline's commits and those of people, distinguished in real repositories."""

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.git import GitError, git
from scripts.ci.own_commits import foreign, is_own, untested
from tests.conftest import commit_all

SIX = range(6)
WORKFLOW = "Mlops-Workflow: https://github.com/o/n/actions/runs/7\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    file = tmp_path / "app.py"
    file.write_text("1")
    commit_all(tmp_path, "feat: begin")
    return tmp_path


def edit(
    repo: Path,
    path: str,
    message: str,
) -> str:
    """Commit a change of one file; its content is the message."""
    file = repo / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(message)
    return commit_all(repo, message)


def published(
    repo: Path,
    trained: str,
    workflow: str = WORKFLOW,
    path: str = "mlruns/r",
) -> str:
    """Commit as `pipeline publish` does."""
    count = git(repo, "rev-list", "--count", "HEAD")
    subject = f"chore(publish): {count}\n"
    trailers = f"Mlops-Publish: {trained}\n{workflow}"
    message = f"{subject}\n{trailers}"
    return edit(repo, f"{path}{count}", message)


def test_an_own_commit_has_the_trailer_and_touches_only_own_files(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    assert not is_own(repo, first)
    by_workflow = published(repo, first)
    assert is_own(repo, by_workflow)
    by_a_person = published(repo, first, workflow="")
    assert is_own(repo, by_a_person)
    in_data = published(repo, first, path="data/Größe")
    assert is_own(repo, in_data)
    in_docs = published(repo, first, path="docs/r")
    assert not is_own(repo, in_docs)
    manual = edit(repo, "mlruns/r", "data: a manual change")
    assert not is_own(repo, manual)


def test_only_the_changes_of_a_merge_itself_count(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "switch", "--quiet", "--create", "published")
    ours = published(repo, first)
    git(repo, "switch", "--quiet", "main")
    theirs = edit(repo, "app.py", "feat: two")
    git(repo, "switch", "--quiet", "published")
    merge = (
        "-c",
        "user.name=P",
        "-c",
        "user.email=p@example.org",
        "merge",
        "--quiet",
        "--no-ff",
        "--no-commit",
        "main",
    )
    git(repo, *merge)
    clean = published(repo, theirs)
    assert is_own(repo, clean)
    assert foreign(repo, clean, ours) == [theirs]
    git(repo, "reset", "--quiet", "--hard", ours)
    git(repo, *merge)
    file = repo / "app.py"
    file.write_text("of neither side")
    resolved = published(repo, theirs)
    assert not is_own(repo, resolved)


@dataclass(frozen=True)
class Pushes:
    """A repository after two pushes of code, of this run and of another one."""

    repo: Path
    mine: str
    other: str

    def untested(self) -> list[str]:
        """Publish for this run, and return the code that it has not tested."""
        commit = published(self.repo, self.mine)
        return untested(self.repo, self.mine, commit)


@pytest.fixture
def pushes(repo: Path) -> Pushes:
    mine = edit(repo, "app.py", "feat: mine")
    other = edit(repo, "app.py", "feat: other")
    return Pushes(repo, mine, other)


def test_code_before_a_publication_is_untested_until_its_own_run_publishes(
    pushes: Pushes,
) -> None:
    assert pushes.untested() == [pushes.other]
    # The run of the other push has linted and tested, and publishes on top.
    theirs = published(pushes.repo, pushes.other)
    assert untested(pushes.repo, pushes.other, theirs) == []
    # A publication after both ships code that both runs have tested.
    assert pushes.untested() == []


def test_a_publication_by_a_person_does_not_prove_a_test(pushes: Pushes) -> None:
    published(pushes.repo, pushes.other, workflow="")
    assert pushes.untested() == [pushes.other]


def test_a_trailer_on_a_commit_of_code_does_not_prove_a_test(pushes: Pushes) -> None:
    squashed = published(pushes.repo, pushes.other, path="app")
    assert pushes.untested() == [squashed, pushes.other]


def test_a_fault_that_the_next_push_fixed_is_covered_by_its_test(
    pushes: Pushes,
) -> None:
    edit(pushes.repo, "app.py", "feat: does not compile")
    fixed = edit(pushes.repo, "app.py", "fix: compiles")
    published(pushes.repo, fixed)
    assert pushes.untested() == []


def test_a_trailer_without_a_commit_does_not_prove_a_test(pushes: Pushes) -> None:
    published(pushes.repo, "f" * 40)
    published(pushes.repo, "--all")
    assert pushes.untested() == [pushes.other]


@dataclass(frozen=True)
class Event:
    """What happens to the push with a number: it comes, or its run publishes."""

    kind: str
    number: int


def shuffled(chance: random.Random, failing: set[int]) -> list[Event]:
    """Return six pushes in order; each that passes publishes at some later time."""
    events = [Event("push", number) for number in SIX]
    for number in SIX:
        if number in failing:
            continue
        push = Event("push", number)
        earliest = events.index(push) + 1
        place = chance.randint(earliest, len(events))
        publication = Event("publish", number)
        events.insert(place, publication)
    return events


@pytest.mark.parametrize("seed", range(3))
def test_of_six_runs_at_once_those_that_ship_have_code_that_passed(
    repo: Path,
    seed: int,
) -> None:
    chance = random.Random(seed)
    failing = set(chance.sample(SIX, 2))
    pushed: dict[int, str] = {}
    shipped = set()
    for event in shuffled(chance, failing):
        if event.kind == "push":
            message = f"push {event.number}"
            pushed[event.number] = edit(repo, "app.py", message)
            continue
        trained = pushed[event.number]
        commit = published(repo, trained)
        if not untested(repo, trained, commit):
            code = git(repo, "show", f"{commit}:app.py")
            number = code.removeprefix("push ")
            shipped.add(int(number))
    assert not shipped & failing
    # The last publication ships, if the newest push is one that passed.
    if 5 not in failing:
        assert 5 in shipped


def test_a_missing_commit_is_an_error(repo: Path) -> None:
    missing = "f" * 40
    with pytest.raises(GitError, match="git rev-list failed"):
        foreign(repo, "HEAD", missing)
