"""Checkouts and branches that nothing is published from or to."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import GitError, git
from pipeline.publish import workspace
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.conftest import Clone, make_clone, make_origin, posix
from tests.paths import ROOT
from tests.support.publishing import note

# A program that gives up its rights and publishes from the folder that it is run in.
PUBLISH = f"""
import sys, os
sys.path[:0] = [{str(ROOT)!r}]
from pathlib import Path
from core.errors import PipelineError
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.support.publishing import note
os.setgid(65534)
os.setuid(65534)
try:
    land(Repo.open(Path.cwd()), "origin", "main", note("mine"))
except PipelineError as error:
    sys.exit(str(error))
"""


def publish_as_another_user(root: Path) -> "subprocess.CompletedProcess[str]":
    """Publish as another user of this machine, who may only read the checkout."""
    build = root.parent / "build-of-another"
    build.mkdir(exist_ok=True)
    build.chmod(0o777)
    variables = {"MLOPS_BUILD_DIR": str(build), "HOME": "/nonexistent"}
    return subprocess.run(
        [sys.executable, "-c", PUBLISH],
        cwd=root,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may read: pytest makes its own private again at any time."""
    with tempfile.TemporaryDirectory(prefix="mlops-test-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder


needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only root can run a program as another user",
)


@posix
@needs_root
def test_a_checkout_of_another_user_ends_with_git_s_advice(open_folder: Path) -> None:
    repo = make_clone(make_origin(open_folder), "mine")
    done = publish_as_another_user(repo.root)
    assert "dubious ownership" in done.stderr, done.stderr
    assert f"git config --global --add safe.directory {repo.root}" in done.stderr


@posix
@needs_root
def test_a_read_only_checkout_ends_with_our_advice(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_clone(make_origin(open_folder), "mine")
    settings = open_folder / "settings"
    settings.write_text("[safe]\n\tdirectory = *\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    done = publish_as_another_user(repo.root)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "publish from a clone of your own" in done.stderr
    assert "cannot write" in done.stderr


def test_a_git_that_is_too_old_is_named(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "OLDEST_GIT", (99, 1))
    message = "git version .* is too old .* install Git 99.1 or newer"
    with pytest.raises(PipelineError, match=message):
        land(clone("mine"), "origin", "main", note("mine"))


def test_a_folder_that_is_not_a_checkout(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").touch()
    with pytest.raises(GitError, match="not a git repository"):
        land(Repo.open(tmp_path), "origin", "main", note("mine"))


def test_a_folder_of_another_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "params.yaml").touch()
    message = "is the folder inner/ of another Git repository"
    with pytest.raises(PipelineError, match=message):
        land(Repo.open(inner), "origin", "main", note("mine"))


def test_a_branch_of_another_project_is_refused(clone: Clone, origin: Path) -> None:
    repo = clone("mine")
    empty = git(repo.root, "mktree", stdin="")
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    pages = git(repo.root, *identity, "commit-tree", empty, stdin="pages\n")
    git(repo.root, "push", "--quiet", "origin", f"{pages}:refs/heads/gh-pages")
    message = "branch gh-pages does not belong to this project"
    with pytest.raises(PipelineError, match=message):
        land(repo, "origin", "gh-pages", note("mine"))
    assert git(origin, "rev-parse", "gh-pages") == pages
