"""The last step of a release: `deployment/release.json` is committed to the branch."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.file_names import RELEASE
from core.git import git
from pipeline.release.schema import Release
from scripts.ci.declare import Declaration
from scripts.ci.origin import Origin
from scripts.ci.own_commits import foreign, is_own
from tests.conftest import commit_all, posix
from tests.paths import ROOT
from tests.support.released_models import IMAGES, commit_model, repository
from tests.support.signing_keys import needs_ssh_keygen, signing_key

DIGESTS = " ".join(IMAGES.values())
# While the first push is on its way, another one lands.
RACE = """\
#!/bin/sh
[ -e raced ] && exit 0
touch raced
unset GIT_QUARANTINE_PATH
git update-ref refs/heads/main %s
"""


@dataclass(frozen=True)
class Project:
    """An origin, and the checkout of a job that releases."""

    folder: Path
    origin: Path
    checkout: Path

    def push(self) -> None:
        """Push the checkout's commit to the branch."""
        git(self.checkout, "push", "--quiet", "origin", "HEAD:main")

    def tip(self) -> str:
        """Return the branch's newest commit."""
        return git(self.origin, "rev-parse", "main")

    def released(self) -> Release:
        """Return the release that the branch declares."""
        text = git(self.origin, "show", f"main:{RELEASE}")
        return Release.parse(f"{text}\n")

    def declare(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the step as the workflow does, with only the standard library."""
        environment = os.environ | {
            "BRANCH": "main",
            "DIGESTS": DIGESTS,
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.run(
            [sys.executable, "-S", "-m", "scripts.ci.declare"],
            cwd=self.checkout,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    checkout = repository(tmp_path / "checkout")
    origin = tmp_path / "origin.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(checkout), str(origin))
    git(checkout, "remote", "add", "origin", str(origin))
    return Project(tmp_path, origin, checkout)


def test_it_commits_one_file_on_top_of_the_branch_and_only_once(
    project: Project,
) -> None:
    commit = project.tip()
    done = project.declare()
    assert done.returncode == 0, done.stderr
    tip = project.tip()
    assert f"declared={tip}" in done.stderr
    assert git(project.origin, "rev-parse", f"{tip}~1") == commit
    changed = git(project.origin, "diff", "--name-only", commit, tip)
    assert changed == RELEASE
    release = project.released()
    assert release.commit == commit
    assert release.images == IMAGES
    release.require_models(project.origin)
    # A push of it starts no other run.
    assert is_own(project.origin, tip)
    assert foreign(project.origin, tip, commit) == []
    subject = git(project.origin, "log", "-1", "--format=%s", tip)
    assert subject == "chore(release): iris v1"

    again = project.declare()
    assert again.returncode == 0
    assert "it declares this release already" in again.stdout
    assert project.tip() == tip


@posix  # the hook is a program that Git on Windows would need a shell for
def test_a_push_in_between_stays_below_it(project: Project) -> None:
    other = project.folder / "other"
    git(project.folder, "clone", "--quiet", str(project.origin), str(other))
    (other / "README.md").write_text("faster\n")
    theirs = commit_all(other, "docs: faster")
    git(project.origin, "fetch", "--quiet", str(other), "HEAD:refs/heads/theirs")
    hook = project.origin / "hooks" / "pre-receive"
    hook.write_text(RACE % theirs)
    hook.chmod(0o755)
    released = project.tip()
    done = project.declare()
    assert done.returncode == 0, done.stderr
    assert git(project.origin, "rev-parse", "main~1") == theirs
    assert project.released().commit == released


def test_an_older_commit_never_replaces_a_newer_one(project: Project) -> None:
    older = project.tip()
    newer = commit_model(project.checkout, "iris", 2)
    project.push()
    assert project.declare().returncode == 0
    tip = project.tip()
    git(project.checkout, "checkout", "--quiet", older)
    done = project.declare()
    assert done.returncode == 0
    assert f"it declares {newer[:9]}, which is newer" in done.stdout
    assert project.tip() == tip


def test_without_digests_there_is_nothing_to_declare(project: Project) -> None:
    before = project.tip()
    done = project.declare(DIGESTS="")
    assert done.returncode == 0
    assert "nothing to declare" in done.stdout
    assert project.tip() == before


def test_a_commit_that_is_not_on_the_branch_is_not_declared(project: Project) -> None:
    commit_model(project.checkout, "iris", 2)
    before = project.tip()
    done = project.declare()
    assert done.returncode == 1
    assert "::error::main does not contain" in done.stdout
    assert "Traceback" not in done.stderr
    assert project.tip() == before


@posix
@needs_ssh_keygen
def test_a_deploy_key_signs_the_commit(project: Project) -> None:
    key = signing_key(project.folder, "key")
    origin = Origin(str(project.origin), {})
    tip = Declaration(project.checkout, origin, "main", IMAGES).land(key)
    assert tip == project.tip()
    signers = key.with_suffix(".signers")
    settings = ("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={signers}")
    git(project.origin, *settings, "verify-commit", tip)
