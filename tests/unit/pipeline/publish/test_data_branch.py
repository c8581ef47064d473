"""The second way out: a branch that only the pipeline writes to, beside `main`."""

from pathlib import Path

import pytest

from core.errors import UsageError
from core.file_names import OWNED
from core.git import git
from history import layout, registry
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.verification import verify
from tests.conftest import Clone, commit_all, posix
from tests.support.protected_branch import (
    PULL_REQUEST,
    ProtectedTeam,
    protect,
    unprotect,
)
from tests.support.publishing_team import BETTER, GOOD

pytestmark = posix


@pytest.fixture
def team(clone: Clone, origin: Path, tmp_path: Path) -> ProtectedTeam:
    protect(origin, PULL_REQUEST)
    return ProtectedTeam(clone, origin, tmp_path)


def test_main_is_merged_into_the_branch_again_and_again(team: ProtectedTeam) -> None:
    begun = team.merge("docs/one.md")
    tip = team.publish("published")
    assert team.parents(tip) == [begun]
    for number in range(3):
        merged = team.merge(f"docs/more-{number}.md")
        commit = team.publish("published")
        assert team.parents(commit) == [tip, merged]
        tip = commit
    assert team.show("results/count") == "4"
    # All other files are those of main, and main has none of the pipeline's.
    others = [f":!{folder}" for folder in OWNED]
    names = ["diff", "--name-only", "main", "published", "--", ".", *others]
    assert git(team.origin, *names) == ""
    assert git(team.origin, "ls-tree", "--name-only", "main", *OWNED) == ""
    # A second bundle of the same commit has nothing to merge.
    again = team.publish("published")
    assert team.parents(again) == [tip]


@pytest.mark.slow
def test_bundles_and_a_rollback(team: ProtectedTeam) -> None:
    older = team.write_bundle(BETTER)
    team.merge("docs/one.md")
    newer = team.write_bundle(GOOD)
    first, _ = publish(team.repo, newer, "origin", "published")
    team.merge("docs/two.md")
    merge, _ = publish(team.repo, team.write_bundle(GOOD), "origin", "published")
    assert len(team.parents(merge)) == 2
    team.merge("docs/three.md")
    publish(team.repo, older, "origin", "published")
    # A bundle that was published is recognized, whatever came after it.
    commit, notice = publish(team.repo, newer, "origin", "published")
    assert commit == first
    assert notice.startswith("This bundle was already published")
    seen = team.check_out("published")
    assert verify(seen) == []
    assert len(layout.run_folders(seen.mlruns)) == 6
    assert (seen.root / "docs" / "two.md").exists()
    promote(team.repo, "housing", 1, "too slow", "origin", "published")
    seen = team.check_out("published")
    versions = registry.versions(seen.mlruns, "housing")
    assert [entry.decided_by for entry in versions] == ["gate", "gate", "hand"]
    with pytest.raises(UsageError, match="the registry has no version of housing"):
        promote(team.repo, "housing", None, "", "origin", "elsewhere")


def test_data_and_runs_that_people_add_to_main_reach_the_branch(
    team: ProtectedTeam,
) -> None:
    team.publish("published")
    team.merge("data/flower.csv.gz")
    team.publish("published")
    (team.repo.root / "data" / "flower.csv.gz").unlink()
    team.merge("docs/without.md")
    team.publish("published")
    listing = git(team.origin, "ls-tree", "-r", "--name-only", "published")
    names = listing.splitlines()
    assert "docs/without.md" in names
    assert "data/flower.csv.gz" not in names


def test_the_pipeline_s_version_of_a_file_that_both_changed_is_kept(
    team: ProtectedTeam,
) -> None:
    team.merge("results/notes.md")
    team.publish("published")
    branch = team.check_out("published")
    (branch.root / "results/notes.md").write_text("of the pipeline")
    commit_all(branch.root, "chore(publish): x\n\nMlops-Publish: y")
    git(branch.root, "push", "--quiet", "origin", "published")
    (team.repo.root / "results/notes.md").write_text("of a person")
    team.merge("docs/one.md")
    team.publish("published")
    assert team.show("results/notes.md") == "of the pipeline"


def test_a_branch_that_was_merged_into_main_continues_from_there(
    team: ProtectedTeam,
) -> None:
    team.publish("published")
    unprotect(team.origin)
    git(team.repo.root, "pull", "--quiet", "--ff-only", "origin", "published")
    made_from = team.merge("docs/after.md")
    commit = team.publish("published")
    assert team.parents(commit) == [made_from]
    assert team.show("results/count") == "2"
