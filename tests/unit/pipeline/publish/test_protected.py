"""A protected `main`, and the three ways out that the error names: each tried for real."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.file_names import OWNED
from core.git import git
from history import layout, registry
from pipeline.publish.base import require_ancestor
from pipeline.publish.loop import Change, land
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all, posix
from tests.support import factories
from tests.unit.pipeline.publish.test_loop import note

pytestmark = posix
Clone = Callable[..., Repo]
GOOD = 0.3
BETTER = 0.05
# GitHub's words for a push that a ruleset refuses; $1 is the rule, as its page calls
# it.
REFUSE = """
refuse() {
  echo "error: GH013: Repository rule violations found for $ref." >&2
  echo "Review all repository rules at https://github.com/o/r/rules?ref=$ref" >&2
  echo "- $1" >&2
  exit 1
}
zero=0000000000000000000000000000000000000000
while read old new ref; do
  test "$ref" = refs/heads/main || continue
"""
NO_REWRITE = """
  test "$new" = $zero && refuse "Cannot delete this branch"
  test "$old" = $zero || git merge-base --is-ancestor $old $new || refuse "Cannot force-push"
"""
PULL_REQUEST = 'refuse "Changes must be made through a pull request."\n'


def protect(origin: Path, rules: str, prelude: str = "") -> None:
    hook = origin / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\n{prelude}{REFUSE}{rules}done\nexit 0\n")
    hook.chmod(0o755)


def unprotect(origin: Path) -> None:
    (origin / "hooks" / "pre-receive").unlink(missing_ok=True)


class Team:
    """A person who merges to a protected main, and the workflow that publishes beside
    it.
    """

    def __init__(self, clone: Clone, origin: Path, tmp_path: Path) -> None:
        self.origin = origin
        self.tmp = tmp_path
        self.count = 0
        self.repo = clone("workflow")

    def merge(self, name: str, rules: str = PULL_REQUEST) -> str:
        """Let a person's change reach main, as GitHub's merge button does; return the
        commit.
        """
        unprotect(self.origin)
        git(self.repo.root, "pull", "--quiet", "--ff-only", "origin", "main")
        (self.repo.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.repo.root / name).write_text(name)
        made = commit_all(self.repo.root, f"feat: {name}")
        git(self.repo.root, "push", "--quiet", "origin", "HEAD:main")
        protect(self.origin, rules)
        return made

    def publish(self, branch: str | None, remote: str = "origin") -> str:
        """Publish a note as a bundle is published, made from the commit that is checked
        out.
        """
        self.count += 1
        made_from = git(self.repo.root, "rev-parse", "HEAD")
        write = note(f"run-{self.count}")

        def change(tip: Repo) -> Change:
            require_ancestor(tip.root, made_from, "the bundle")
            return write(tip)

        return land(self.repo, remote, branch, change, made_from=made_from)[0]

    def forge(self, noise: float) -> Path:
        """Make a bundle of the commit that is checked out."""
        self.count += 1
        folder = self.tmp / f"bundle-{self.count}"
        made_from = git(self.repo.root, "rev-parse", "HEAD")
        factories.bundle(folder, made_from, {"housing": noise}, seed=self.count)
        return folder

    def seen(self, branch: str) -> Repo:
        self.count += 1
        target = self.tmp / f"seen-{self.count}"
        git(self.tmp, "clone", "--quiet", "-b", branch, str(self.origin), str(target))
        return Repo.open(target)


@pytest.fixture
def team(clone: Clone, origin: Path, tmp_path: Path) -> Team:
    protect(origin, PULL_REQUEST)
    return Team(clone, origin, tmp_path)


def test_the_first_way_rules_against_deletion_and_rewriting_alone(team: Team) -> None:
    with pytest.raises(PipelineError, match="pull request.*Three ways out"):
        team.publish(None)
    protect(team.origin, NO_REWRITE)
    first = team.publish(None)
    second = team.publish(None)
    assert git(team.origin, "log", "-2", "--format=%H", "main").split() == [
        second,
        first,
    ]


def test_the_second_way_a_branch_of_its_own_goes_on_for_ever(team: Team) -> None:
    begun = team.merge("docs/one.md")
    first = team.publish("published")
    assert git(team.origin, "log", "-1", "--format=%P", first) == begun
    tips = [first]
    for number in range(3):
        merged = team.merge(f"docs/more-{number}.md")
        tips.append(team.publish("published"))
        parents = git(team.origin, "log", "-1", "--format=%P", "published").split()
        assert parents == [tips[-2], merged]
    assert git(team.origin, "show", "published:results/count") == "4"
    # All else is main's, and main has nothing of the pipeline's.
    others = [f":!{folder}" for folder in OWNED]
    assert (
        git(team.origin, "diff", "--name-only", "main", "published", "--", ".", *others)
        == ""
    )
    assert git(team.origin, "ls-tree", "--name-only", "main", *OWNED) == ""
    # Twice from one commit of main: nothing is to be merged, so it has one parent.
    again = team.publish("published")
    assert (
        git(team.origin, "log", "-1", "--format=%P", "published") == tips[-1] != again
    )


@pytest.mark.slow
def test_bundles_and_a_rollback_in_a_branch_of_its_own(team: Team) -> None:
    older = team.forge(BETTER)
    team.merge("docs/one.md")
    newer = team.forge(GOOD)
    first, _ = publish(team.repo, newer, "origin", "published")
    team.merge("docs/two.md")
    merge, _ = publish(team.repo, team.forge(GOOD), "origin", "published")
    assert len(git(team.origin, "log", "-1", "--format=%P", merge).split()) == 2
    team.merge("docs/three.md")
    publish(team.repo, older, "origin", "published")
    # A bundle that landed is known again, whatever came after it.
    commit, said = publish(team.repo, newer, "origin", "published")
    assert commit == first
    assert said.startswith("This bundle was published before")
    seen = team.seen("published")
    assert verify(seen) == []
    assert len(layout.run_folders(seen.mlruns)) == 6
    assert (seen.root / "docs" / "two.md").exists()
    promote(team.repo, "housing", 1, "too slow", "origin", "published")
    known = registry.versions(team.seen("published").mlruns, "housing")
    assert [entry.decided_by for entry in known] == ["gate", "gate", "hand"]
    with pytest.raises(UsageError, match="the registry holds none"):
        promote(team.repo, "housing", None, "", "origin", "elsewhere")


def test_data_and_runs_that_people_add_to_main_reach_the_branch(team: Team) -> None:
    team.publish("published")
    team.merge("data/flower.csv.gz")
    team.publish("published")
    (team.repo.root / "data" / "flower.csv.gz").unlink()
    team.merge("docs/without.md")
    team.publish("published")
    names = git(team.origin, "ls-tree", "-r", "--name-only", "published").splitlines()
    assert "docs/without.md" in names
    assert "data/flower.csv.gz" not in names


def test_where_both_changed_a_file_the_pipeline_s_stays(team: Team) -> None:
    team.merge("results/notes.md")
    team.publish("published")
    ours = team.seen("published")
    (ours.root / "results/notes.md").write_text("of the pipeline")
    commit_all(ours.root, "chore(publish): x\n\nMlops-Publish: y")
    git(ours.root, "push", "--quiet", "origin", "published")
    (team.repo.root / "results/notes.md").write_text("of a person")
    team.merge("docs/one.md")
    team.publish("published")
    assert git(team.origin, "show", "published:results/notes.md") == "of the pipeline"


def test_a_branch_that_was_merged_into_main_goes_on_from_there(team: Team) -> None:
    team.publish("published")
    unprotect(team.origin)
    git(team.repo.root, "pull", "--quiet", "--ff-only", "origin", "published")
    made_from = team.merge("docs/after.md")
    commit = team.publish("published")
    assert git(team.origin, "log", "-1", "--format=%P", commit) == made_from
    assert git(team.origin, "show", "published:results/count") == "2"


def test_somebody_s_own_branch_is_not_merged_into(team: Team) -> None:
    work = team.seen("main")
    (work.root / "docs").mkdir()
    (work.root / "docs" / "draft.md").write_text("precious")
    tip = commit_all(work.root, "feat: a draft")
    git(work.root, "push", "--quiet", "origin", "HEAD:refs/heads/work")
    team.merge("docs/one.md")
    with pytest.raises(
        PipelineError, match=r"work has changes .*docs/draft.md.*merge it into"
    ):
        team.publish("work")
    assert git(team.origin, "rev-parse", "work") == tip


def test_a_commit_that_was_never_pushed_is_not_published(team: Team) -> None:
    team.publish("published")
    (team.repo.root / "secret.txt").write_text("not to be pushed")
    commit_all(team.repo.root, "feat: not pushed")
    with pytest.raises(
        PipelineError, match="which the branch does not contain: push that commit"
    ):
        team.publish("published")
    with pytest.raises(
        PipelineError, match="which the branch does not contain: push that commit"
    ):
        team.publish("new")
    assert "secret.txt" not in git(
        team.origin, "log", "--all", "--name-only", "--format="
    )


def test_the_third_way_a_deploy_key_that_the_rules_let_through(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server knows who pushes by the key; here the program in ssh's place tells it.
    program = tmp_path / "ssh.py"
    program.write_text(
        "import os, subprocess, sys\n"
        "actor = 'deploy' if 'deploy_key' in sys.argv else 'nobody'\n"
        "os.environ['ACTOR'] = actor\n"
        "sys.exit(subprocess.call(sys.argv[-1], shell=True))\n"
    )
    protect(team.origin, PULL_REQUEST, 'test "$ACTOR" = deploy && exit 0\n')
    git(
        team.repo.root,
        "remote",
        "set-url",
        "--push",
        "origin",
        f"ssh://git@host{team.origin}",
    )
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", f"'{sys.executable}' '{program}' -i other_key"
    )
    with pytest.raises(PipelineError, match="Three ways out"):
        team.publish(None)
    monkeypatch.setenv(
        "GIT_SSH_COMMAND", f"'{sys.executable}' '{program}' -i deploy_key"
    )
    commit = team.publish(None)
    assert git(team.origin, "rev-parse", "main") == commit
    # By address, as a workflow does that has the key alone.
    commit = team.publish(None, f"ssh://git@host{team.origin}")
    assert git(team.origin, "rev-parse", "main") == commit
