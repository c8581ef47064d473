"""A publish reads the summaries of earlier days, and not their runs."""

from pathlib import Path

from core.git import git
from history import History, runfile
from pipeline.repo import Repo
from pipeline.report import day_summaries
from tests.conftest import commit_all
from tests.support.publishing_team import BETTER, GOOD, WORSE, Team


def test_a_publish_reads_no_run_of_earlier_days(team: Team) -> None:
    team.publish(housing=GOOD)
    team.publish(housing=WORSE)
    clone = team.origin
    (path,) = clone.results.glob("summaries/housing/*.json")
    summary = runfile.read(path, day_summaries.DaySummary)
    assert len(summary.models) == 4
    # What cannot be read any more: the run that was refused, of another day by now.
    refused = _refused(clone)
    day = path.with_name("2020-01-01.json")
    others = {}
    for key, ids in summary.models.items():
        if key in refused:
            others[key] = ids
    kept = summary.model_copy(update={"models": others, "shown": []})
    day.write_text(runfile.dump(kept), "utf-8")
    for folder in refused.values():
        target = folder.parent.with_name("2020-01-01") / folder.name
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
        (target / "run.json").write_text("{")
    commit_all(clone.root, "test: damage runs of another day")
    git(clone.root, "push", "--quiet", "origin", "main")
    _, message = team.publish(housing=BETTER)
    assert "housing v2 promoted" in message
    assert "from the 6 runs" in (team.origin.mlruns / "README.md").read_text("utf-8")


def test_a_publish_deletes_the_summaries_of_days_without_runs(team: Team) -> None:
    team.publish(housing=GOOD)
    clone = team.origin
    (path,) = clone.results.glob("summaries/housing/*.json")
    path.with_name("2020-01-01.json").write_bytes(path.read_bytes())
    archived = path.parent.with_name("archived") / path.name
    archived.parent.mkdir()
    archived.write_bytes(path.read_bytes())
    commit_all(clone.root, "test: leave summaries behind")
    git(clone.root, "push", "--quiet", "origin", "main")
    commit, _ = team.publish(housing=BETTER)
    changed = git(
        team.repo.root, "diff", "--name-status", f"{commit}~1", commit, "--", "results"
    )
    summaries = [line for line in changed.splitlines() if "/summaries/" in line]
    deleted = [line for line in summaries if line.startswith("D")]
    assert deleted == [
        f"D\tresults/summaries/archived/{path.name}",
        "D\tresults/summaries/housing/2020-01-01.json",
    ]


def _refused(repo: Repo) -> dict[str, Path]:
    """Return the folders of the runs of the last push."""
    opened = History.open(repo.mlruns)
    parents = []
    for run in opened.runs():
        if run.tags.get("gate") == "refused":
            parents.append(run)
    (parent,) = parents
    folders = {}
    for run in opened.runs():
        if parent.run_id in (run.run_id, run.parent):
            folders[run.run_id] = opened.folders[run.run_id]
    return folders
