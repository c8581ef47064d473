"""The files that no commit holds as they are, with settings of a user that hide some."""

from pathlib import Path

import pytest

from core.git import git
from pipeline.repo import Repo
from pipeline.train.changes import changes
from tests.conftest import Clone, commit_all

FILES = (
    "pipeline/tasks/iris.yaml",
    "pipeline/train.py",
    "data/iris.csv.gz",
    "docs/why.md",
)
TASK = "pipeline/tasks/flower.yaml"


@pytest.fixture
def repo(clone: Clone) -> Repo:
    """A clone with code, data and a page, all committed."""
    repo = clone("mine")
    for name in FILES:
        write(repo, name)
    commit_all(repo.root, "feat: more")
    return repo


def write(repo: Repo, name: str, text: str = "content\n") -> None:
    path = repo.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_clean_checkout_has_none_whatever_else_lies_there(repo: Repo) -> None:
    for name in (
        "docs/draft.md",
        "pipeline/__pycache__/train.cpython-311.pyc",
        "data/.DS_Store",
        "pipeline/.ipynb_checkpoints/a.ipynb",
        "pipeline/tasks/iris.yaml~",
    ):
        write(repo, name)
    write(repo, "docs/why.md", "changed")
    assert changes(repo) == []


def test_changed_deleted_new_and_staged_files_are_named(repo: Repo) -> None:
    write(repo, "params.yaml", "seed: 7\n")
    (repo.root / "pipeline/train.py").unlink()
    write(repo, TASK)
    write(repo, "data/with blank and ü.csv.gz")
    git(repo.root, "add", TASK)
    named = ["data/with blank and ü.csv.gz", "params.yaml", TASK, "pipeline/train.py"]
    assert changes(repo) == named


@pytest.mark.parametrize(
    "settings",
    [
        {"status.showUntrackedFiles": "no"},
        {"core.excludesFile": "EXCLUDES"},
        {"core.fsmonitor": "true"},
        {"status.relativePaths": "false", "core.quotePath": "true"},
    ],
)
def test_settings_hide_no_new_file(
    repo: Repo, tmp_path: Path, settings: dict[str, str]
) -> None:
    excludes = tmp_path / "excludes"
    excludes.write_text("*.yaml\n")
    for key, text in settings.items():
        value = text.replace("EXCLUDES", str(excludes))
        git(repo.root, "config", key, value)
    write(repo, TASK)
    assert changes(repo) == [TASK]


@pytest.mark.parametrize(
    "rules",
    [
        ".git/info/exclude",
        ".gitignore",
        "pipeline/.gitignore",
        "pipeline/tasks/.gitignore",
    ],
)
def test_ignore_rules_of_any_kind_hide_no_new_file(repo: Repo, rules: str) -> None:
    write(repo, rules, "*\n")
    write(repo, TASK)
    assert changes(repo) == [TASK]


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_flags_in_the_index_hide_no_change(repo: Repo, flag: str) -> None:
    git(repo.root, "update-index", flag, "params.yaml")
    write(repo, "params.yaml", "seed: 7\n")
    assert git(repo.root, "status", "--porcelain") == ""
    assert changes(repo) == ["params.yaml"]


@pytest.mark.parametrize("mode", ["--cone", "--no-cone"])
def test_files_that_a_sparse_checkout_leaves_out_are_not_changes(
    repo: Repo, mode: str
) -> None:
    git(repo.root, "sparse-checkout", "set", mode, "pipeline")
    # As it is committed; without a cone it is left out.
    write(repo, "params.yaml", "seed: 42\n")
    assert not (repo.root / "data").exists()
    assert changes(repo) == []
    write(repo, TASK)
    assert changes(repo) == [TASK]
    assert git(repo.root, "sparse-checkout", "list") == "pipeline"


def test_the_user_s_index_is_left_as_it_is(repo: Repo) -> None:
    write(repo, TASK)
    git(repo.root, "add", TASK)
    index = repo.root / ".git" / "index"
    before = index.read_bytes()
    changes(repo)
    assert index.read_bytes() == before
