"""The workflow file as it is, run by act: a push to a bare repository, and what comes back."""

import gzip
import json
from pathlib import Path

import pytest

from pipeline.git import git
from pipeline.publishing.commit import BOT_EMAIL
from scripts.ci.plan import OWNED
from scripts.rehearse import events
from tests.conftest import commit_all
from tests.forge import PARAMS
from tests.small_project import ONE_PYTHON, TEST, Project

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_pushes_are_answered_with_commits_and_those_with_nothing(project: Project) -> None:
    before, head = project.runs(), git(project.clone, "rev-parse", "HEAD")
    run = project.push("feat: smaller", "--job", "publish")

    # In order, with the outputs of one in the next.
    assert set(run.results.values()) == {"success"}, run.results
    assert set(run.results) == {"plan", "lint", "test", "train", "publish"}
    assert sum(name.startswith("test ") for name in run.jobs) == 3
    began = {name: job.began for name, job in run.jobs.items()}
    assert began["plan"] == min(began.values())
    assert began["publish"] > max(job.ended for job in run.jobs.values() if job.name != "publish")
    assert run.jobs["publish"].outputs["commit"] == project.main
    assert "iris v2 stays" in run.jobs["publish"].outputs["headline"]

    # The commit: the pipeline's own, on top of the push, with nothing but what it owns.
    author, parent = git(project.origin, "log", "-1", "--format=%ae %P", "main").split()
    assert author == BOT_EMAIL
    assert parent == git(project.clone, "rev-parse", "HEAD") != head
    touched = git(project.origin, "diff-tree", "--name-only", "-r", parent, "main").splitlines()
    assert touched and all(path.startswith(OWNED) for path in touched)
    new = project.runs() - before
    assert len(new) == 3
    record = json.loads(git(project.origin, "show", f"main:{sorted(new)[0]}"))
    assert record["tags"]["mlflow.source.git.commit"] == parent

    # The same commit as an event: its author is known, and without that its content.
    project.pull()
    event = events.push(project.clone)
    again = project.runner.run(project.clone, "push", event)
    assert again.results == {"verdict": "success"}
    assert "Nothing to do" in again.summary
    event["head_commit"]["author"]["email"] = "somebody@example.org"
    again = project.runner.run(project.clone, "push", event)
    assert again.results == {"plan": "success", "verdict": "success"}
    assert again.jobs["plan"].outputs["jobs"] == "[]" and "own commit" in again.summary

    # A second push works on top of it.
    published = project.main
    (project.clone / "params.yaml").write_text(PARAMS % 0.02, "utf-8")
    second = project.push("feat: another C", "--job", "publish", *ONE_PYTHON)
    assert second.results["publish"] == "success"
    assert git(project.origin, "rev-parse", "main~2") == published
    assert len(project.runs() - before) == 6


def stopped(project: Project, message: str, at: str) -> str:
    """Push what must fail; return the page of the run, after looking that main is as it was."""
    run = project.push(message, *ONE_PYTHON)
    assert run.results[at] == "failure", run.results
    assert run.results["verdict"] == "failure"
    assert not {"images", "verify", "release"} & {
        name for name, result in run.results.items() if result != "skipped"
    }
    assert project.main == git(project.clone, "rev-parse", "HEAD")
    assert "Nothing was published" in run.summary
    return run.summary


def test_a_lint_error_stops_it(project: Project) -> None:
    (project.clone / "bench" / "bad.py").write_text("import os\n")
    page = stopped(project, "feat: untidy", "lint")
    assert "Stopped: lint failed" in page
    assert "bench/bad.py:1: F401 'os' imported but unused" in page
    assert "./scripts/nox.sh -s lint" in page


def test_a_failing_test_stops_a_pull_request_and_is_told_in_its_comment(project: Project) -> None:
    before = project.main
    (project.clone / "tests" / "test_small.py").write_text(TEST.format(sum="1 + 2"))
    commit_all(project.clone, "feat: wrong")
    event = events.pull_request(7)
    run = project.runner.run(project.clone, "pull_request", event, *ONE_PYTHON)
    assert run.results["test"] == run.results["verdict"] == "failure"
    assert "images" not in run.results and project.main == before
    assert "Stopped: test failed" in run.summary
    assert "tests/test_small.py::test_small" in run.summary
    comment = run.folder / "comments" / "mlops.md"
    assert comment.read_text("utf-8") == run.summary


def test_invalid_data_stop_it(project: Project) -> None:
    path = project.clone / "data" / "iris.csv.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    lines[3] = "-" + lines[3]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    page = stopped(project, "data: a typing error", "train")
    assert "Stopped: train failed" in page and "row 3" in page, page


def test_a_protected_branch_is_explained(project: Project) -> None:
    commit = "while read old new ref; do git log -1 --format=%ae $new; done"
    told = "echo 'GH006: Protected branch update failed' >&2; exit 1"
    project.hook("pre-receive", f"if {commit} | grep -q github-actions; then {told}; fi")
    page = stopped(project, "feat: smaller", "publish")
    assert "refuses pushes to main" in page and "Settings > Rules" in page


def test_a_race_that_never_ends_is_given_up(project: Project) -> None:
    loop = project.clone / "pipeline" / "publishing" / "loop.py"
    loop.write_text(loop.read_text("utf-8").replace("ATTEMPTS = 60", "ATTEMPTS = 3"), "utf-8")
    # As a server says it when somebody else was faster.
    told = "echo 'error: cannot lock ref: is at another commit' >&2; exit 1"
    commit = "while read old new ref; do git log -1 --format=%ae $new; done"
    project.hook("pre-receive", f"if {commit} | grep -q github-actions; then {told}; fi")
    page = stopped(project, "feat: three attempts", "publish")
    assert "gave up after 3 attempts" in page and "run the failed jobs again" in page
