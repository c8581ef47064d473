"""The pipeline's commits and those of people, told apart in real repositories."""

import random
from pathlib import Path

import pytest

from core.git import GitError, git
from scripts.ci.own_commits import foreign, is_own, untested
from tests.conftest import commit_all

WORKFLOW = "Mlops-Workflow: https://github.com/o/n/actions/runs/7\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "app.py").write_text("1")
    commit_all(tmp_path, "feat: begin")
    return tmp_path


def edit(repo: Path, path: str, message: str) -> str:
    """Commit a change of one file; its content is the message."""
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_text(message)
    return commit_all(repo, message)


def published(
    repo: Path, trained: str, workflow: str = WORKFLOW, path: str = "mlruns/r"
) -> str:
    """Commit as `pipeline publish` does."""
    count = git(repo, "rev-list", "--count", "HEAD")
    message = f"chore(publish): {count}\n\nMlops-Publish: {trained}\n{workflow}"
    return edit(repo, f"{path}{count}", message)


def test_own_is_what_has_the_trailer_and_touches_nothing_else(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    assert not is_own(repo, first)
    assert is_own(repo, published(repo, first))
    assert is_own(repo, published(repo, first, workflow=""))
    assert not is_own(repo, published(repo, first, path="docs/r"))
    assert not is_own(repo, edit(repo, "mlruns/r", "data: by hand"))
    assert is_own(repo, published(repo, first, path="data/Größe"))


def test_a_merge_is_judged_by_what_it_has_from_neither_side(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "switch", "--quiet", "--create", "published")
    ours = published(repo, first)
    git(repo, "switch", "--quiet", "main")
    theirs = edit(repo, "app.py", "feat: two")
    git(repo, "switch", "--quiet", "published")
    person = ("-c", "user.name=P", "-c", "user.email=p@example.org")
    merge = ("merge", "--quiet", "--no-ff", "--no-commit", "main")
    git(repo, *person, *merge)
    clean = published(repo, theirs)
    assert is_own(repo, clean)
    assert foreign(repo, clean, ours) == [theirs]
    git(repo, "reset", "--quiet", "--hard", ours)
    git(repo, *person, *merge)
    (repo / "app.py").write_text("neither side's")
    assert not is_own(repo, published(repo, theirs))


def test_code_that_came_before_a_publication_is_untested_until_its_own_run_publishes(
    repo: Path,
) -> None:
    mine = edit(repo, "app.py", "feat: mine")
    other = edit(repo, "app.py", "feat: other")
    commit = published(repo, mine)
    assert untested(repo, mine, commit) == [other]
    # The run of the other push has linted and tested, and published on top.
    theirs = published(repo, other)
    assert untested(repo, other, theirs) == []
    # Who comes last after both ships what both have tested.
    assert untested(repo, mine, published(repo, mine)) == []


def test_a_publication_by_hand_vouches_for_nothing(repo: Path) -> None:
    mine = edit(repo, "app.py", "feat: mine")
    other = edit(repo, "app.py", "feat: other")
    published(repo, other, workflow="")
    assert untested(repo, mine, published(repo, mine)) == [other]


def test_a_trailer_on_a_commit_of_code_vouches_for_nothing(repo: Path) -> None:
    mine = edit(repo, "app.py", "feat: mine")
    other = edit(repo, "app.py", "feat: other")
    squashed = published(repo, other, path="app")
    commit = published(repo, mine)
    assert untested(repo, mine, commit) == [squashed, other]


def test_a_fault_that_the_next_push_mended_is_no_fault_of_what_passed(
    repo: Path,
) -> None:
    mine = edit(repo, "app.py", "feat: mine")
    edit(repo, "app.py", "feat: does not compile")
    mended = edit(repo, "app.py", "fix: compiles")
    published(repo, mended)
    assert untested(repo, mine, published(repo, mine)) == []


def test_a_trailer_that_names_nothing_vouches_for_nothing(repo: Path) -> None:
    mine = edit(repo, "app.py", "feat: mine")
    other = edit(repo, "app.py", "feat: other")
    published(repo, "f" * 40)
    published(repo, "--all")
    assert untested(repo, mine, published(repo, mine)) == [other]


@pytest.mark.parametrize("seed", range(3))
def test_of_six_runs_at_once_those_that_ship_have_code_that_passed(
    repo: Path, seed: int
) -> None:
    """Two of six pushes fail lint; the others publish at any time after they were
    pushed.
    """
    chance = random.Random(seed)
    red = set(chance.sample(range(6), 2))
    happens = list(
        range(6)
    )  # each push, and then each publication somewhere behind its push
    for number in set(range(6)) - red:
        happens.insert(
            chance.randint(happens.index(number) + 1, len(happens)), number + 10
        )
    pushes: dict[int, str] = {}
    shipped = set()
    for what in happens:
        if what < 10:
            pushes[what] = edit(repo, "app.py", f"push {what}")
            continue
        commit = published(repo, pushes[what - 10])
        if not untested(repo, pushes[what - 10], commit):
            shipped.add(int(git(repo, "show", f"{commit}:app.py").split()[1]))
    assert not shipped & red
    # Who publishes last ships, if the newest push is one that passed.
    if 5 not in red:
        assert 5 in shipped


def test_a_commit_that_is_not_there_is_said(repo: Path) -> None:
    with pytest.raises(GitError, match="git rev-list failed"):
        foreign(repo, "HEAD", "f" * 40)
