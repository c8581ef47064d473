"""The script that keeps the checkouts of pods, with real repositories."""

import base64
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.git import git
from pipeline.repo import Repo
from tests.conftest import commit_all, make_clone, posix
from tests.support import git_server
from tests.support.kubernetes import CONFIG
from tests.support.waiting import wait_until

pytestmark = posix
SCRIPT = CONFIG / "checkout.sh"


class Checkout:
    """A folder of a pod, and the variables that the script reads there."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "REPOSITORY_URL": url,
            "REPOSITORY_BRANCH": "main",
        }

    def command(self, mode: str, *more: str) -> list[str]:
        return ["sh", str(SCRIPT), mode, str(self.folder), *more]

    def run(self, mode: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(mode), env=self.environment, capture_output=True, text=True
        )

    def head(self) -> str:
        return git(self.folder, "rev-parse", "HEAD")

    @contextmanager
    def followed(self) -> Iterator[subprocess.Popen[str]]:
        """Follow the branch in a process, and stop it as Kubernetes does."""
        process = subprocess.Popen(
            self.command("follow", "0.05"),
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@pytest.fixture
def seed(origin: Path) -> Repo:
    """A clone whose commits go to the origin."""
    return make_clone(origin, "seed-of-the-test")


@pytest.fixture
def checkout(origin: Path) -> Checkout:
    return Checkout(origin.parent / "repo", origin.as_uri())


def push(seed: Repo, text: str, *options: str) -> str:
    """Commit a text, push it, and return the commit."""
    (seed.root / "text.txt").write_text(text)
    commit = commit_all(seed.root, f"feat: {text}")
    git(seed.root, "push", "--quiet", *options, "origin", "HEAD:main")
    return commit


def test_the_branch_is_checked_out_and_again_after_an_interruption(
    checkout: Checkout, seed: Repo
) -> None:
    first = push(seed, "first")
    assert checkout.run("branch").returncode == 0
    assert checkout.head() == first
    (checkout.folder / ".git" / "index.lock").touch()
    (checkout.folder / "text.txt").write_text("half")
    second = push(seed, "second")
    again = checkout.run("branch")
    assert again.returncode == 0
    assert again.stderr == ""
    assert checkout.head() == second
    assert (checkout.folder / "text.txt").read_text("utf-8") == "second"


def test_a_release_is_the_commit_of_the_image_and_not_a_later_one(
    checkout: Checkout, seed: Repo
) -> None:
    released = push(seed, "released")
    push(seed, "later")
    checkout.environment["MLOPS_REVISION"] = released
    assert checkout.run("release").returncode == 0
    assert checkout.head() == released


def test_an_image_that_names_no_commit_has_the_tip(
    checkout: Checkout, seed: Repo
) -> None:
    tip = push(seed, "tip")
    checkout.environment["MLOPS_REVISION"] = ""
    assert checkout.run("release").returncode == 0
    assert checkout.head() == tip


def test_a_commit_that_was_never_pushed_is_named(checkout: Checkout) -> None:
    checkout.environment["MLOPS_REVISION"] = "1" * 40
    done = checkout.run("release")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "the branch main does not contain the commit 1111" in line


@pytest.mark.parametrize("variable", ["REPOSITORY_URL", "REPOSITORY_BRANCH"])
def test_a_setting_that_is_missing_is_named(checkout: Checkout, variable: str) -> None:
    checkout.environment[variable] = ""
    done = checkout.run("branch")
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert f"{variable}: is not set" in line


def test_an_unknown_mode_is_refused(checkout: Checkout) -> None:
    done = checkout.run("watch")
    assert done.returncode == 2
    assert "release, branch or follow, not watch" in done.stderr


def test_pushes_are_followed_even_if_history_was_rewritten_or_the_origin_was_away(
    checkout: Checkout, seed: Repo, origin: Path
) -> None:
    first = push(seed, "first")
    assert checkout.run("branch").returncode == 0
    with checkout.followed() as process:
        second = push(seed, "second")
        wait_until(lambda: checkout.head() == second)
        git(seed.root, "reset", "--quiet", "--hard", first)
        other = push(seed, "other", "--force")
        wait_until(lambda: checkout.head() == other)
        away = origin.rename(origin.with_name("away"))
        assert process.stderr
        lines = iter(process.stderr.readline, "")
        assert any("trying again" in line for line in lines)
        assert checkout.head() == other
        away.rename(origin)
        last = push(seed, "last")
        wait_until(lambda: checkout.head() == last)
    assert process.returncode == 0


def test_a_private_repository_is_read_with_a_token_that_nothing_keeps(
    checkout: Checkout, seed: Repo, origin: Path
) -> None:
    tip = push(seed, "private")
    token = "a-token-of-the-test"
    credentials = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    with git_server.serve(
        origin.parent, authorization=f"Basic {credentials}"
    ) as server:
        url = f"http://{server.address}/{origin.name}"
        checkout.environment["REPOSITORY_URL"] = url
        refused = checkout.run("branch")
        assert refused.returncode != 0
        checkout.environment["REPOSITORY_TOKEN"] = token
        done = checkout.run("branch")
    assert done.returncode == 0, done.stderr
    assert checkout.head() == tip
    assert token not in done.stdout + done.stderr
    for path in (checkout.folder / ".git").rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes()


@pytest.mark.parametrize("missing", ["ssh-privatekey", "known_hosts"])
def test_a_deploy_key_that_is_missing_is_named(
    checkout: Checkout, tmp_path: Path, missing: str
) -> None:
    for name in {"ssh-privatekey", "known_hosts"} - {missing}:
        (tmp_path / name).write_text("content")
    checkout.environment["DEPLOY_KEY"] = str(tmp_path)
    done = checkout.run("release")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "the Secret deploy-key is missing" in line
    assert f"has no key {missing}" in line
    assert not checkout.folder.exists()
