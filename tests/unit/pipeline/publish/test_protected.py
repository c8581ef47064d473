"""A protected `main`, and the three ways out that the error names, all of them real."""

import sys
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git
from tests.conftest import Clone, commit_all, posix
from tests.support.protected_branch import (
    NO_REWRITE,
    PULL_REQUEST,
    ProtectedTeam,
    protect,
)

pytestmark = posix
# It takes the place of ssh, and names the key to the server as its actor.
SSH = """\
import os, subprocess, sys
actor = 'deploy' if 'deploy_key' in sys.argv else 'nobody'
os.environ['ACTOR'] = actor
sys.exit(subprocess.call(sys.argv[-1], shell=True))
"""


@pytest.fixture
def team(clone: Clone, origin: Path, tmp_path: Path) -> ProtectedTeam:
    protect(origin, PULL_REQUEST)
    return ProtectedTeam(clone, origin, tmp_path)


def test_the_first_way_rules_only_against_deletion_and_rewriting(
    team: ProtectedTeam,
) -> None:
    with pytest.raises(PipelineError, match="pull request.*three ways out"):
        team.publish(None)
    protect(team.origin, NO_REWRITE)
    first = team.publish(None)
    second = team.publish(None)
    newest = git(team.origin, "log", "-2", "--format=%H", "main")
    assert newest.split() == [second, first]


@pytest.mark.parametrize("branch", ["published", "new"])
def test_a_commit_that_was_never_pushed_is_not_published(
    team: ProtectedTeam, branch: str
) -> None:
    team.publish("published")
    (team.repo.root / "secret.txt").write_text("not to be pushed")
    commit_all(team.repo.root, "feat: not pushed")
    message = "which the branch does not contain: push that commit"
    with pytest.raises(PipelineError, match=message):
        team.publish(branch)
    names = git(team.origin, "log", "--all", "--name-only", "--format=")
    assert "secret.txt" not in names


def test_a_branch_of_somebody_else_s_is_not_merged_into(team: ProtectedTeam) -> None:
    work = team.check_out("main")
    draft = work.root / "docs" / "draft.md"
    draft.parent.mkdir()
    draft.write_text("precious")
    tip = commit_all(work.root, "feat: a draft")
    git(work.root, "push", "--quiet", "origin", "HEAD:refs/heads/work")
    team.merge("docs/one.md")
    message = "branch work has a change to docs/draft.md .*: merge the branch"
    with pytest.raises(PipelineError, match=message):
        team.publish("work")
    assert git(team.origin, "rev-parse", "work") == tip


def test_the_third_way_a_deploy_key_that_may_bypass_the_rules(
    team: ProtectedTeam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ssh.py"
    program.write_text(SSH)
    ssh = f"'{sys.executable}' '{program}'"
    address = f"ssh://git@host{team.origin}"
    protect(team.origin, PULL_REQUEST, 'test "$ACTOR" = deploy && exit 0\n')
    git(team.repo.root, "remote", "set-url", "--push", "origin", address)
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    monkeypatch.setenv("GIT_SSH_COMMAND", f"{ssh} -i other_key")
    with pytest.raises(PipelineError, match="three ways out"):
        team.publish(None)
    monkeypatch.setenv("GIT_SSH_COMMAND", f"{ssh} -i deploy_key")
    commit = team.publish(None)
    assert git(team.origin, "rev-parse", "main") == commit
    # By its address, as in a workflow that has nothing but the key.
    commit = team.publish(None, address)
    assert git(team.origin, "rev-parse", "main") == commit
