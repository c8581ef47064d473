"""Real Git repositories for the tests: a bare origin and clones of it, no settings of a user."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from pipeline.git import git
from pipeline.repo import Repo

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def own_git_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings and the identity of whoever runs the tests out of them."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(variable, raising=False)


def commit_all(folder: Path, message: str) -> str:
    """Commit everything in a work tree and return the commit."""
    git(folder, "add", "--all")
    identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    git(folder, *identity, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository with one commit on main: the smallest checkout that the program accepts."""
    bare, seed = tmp_path / "origin.git", tmp_path / "seed"
    subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", bare], check=True)
    subprocess.run(["git", "init", "--quiet", "-b", "main", seed], check=True)
    (seed / "params.yaml").write_text("seed: 42\n")
    (seed / ".gitignore").write_text("build/\n")
    commit_all(seed, "feat: begin")
    git(seed, "push", "--quiet", str(bare), "main")
    return bare


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Callable[..., Repo]:
    """Return a function that clones the origin into a folder of its own."""

    def make(name: str, *options: str) -> Repo:
        target = tmp_path / name
        git(tmp_path, "clone", "--quiet", *options, origin.as_uri(), str(target))
        return Repo.open(target)

    return make
