"""The workflow file as it is, run by act: a push to a bare repository, and the answer."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.file_names import is_owned
from core.git import git
from scripts.ci.plan import NOTHING
from tests.conftest import commit_all
from tests.support import own_tasks
from tests.support.factories import PARAMS
from tests.support.small_project import ONE_PYTHON, TEST, Project
from tools.rehearse import events
from tools.rehearse.act import Run
from tools.rehearse.github import github

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
HISTORY = (
    "mlruns/iris",
    "mlruns/housing",
    "mlruns/credit",
    "mlruns/registry",
    "deployment/models",
    "results",
)


@pytest.fixture(autouse=True)
def paths_that_windows_can_open() -> None:
    """Leave the folders of act alone: these tests do not run on Windows."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with github() as api:
        yield Project(tmp_path, api)


def check_order(run: Run) -> None:
    """Check that all jobs were successful, and that the first and the last are right."""
    results = run.results
    assert set(results.values()) == {"success"}, run.failures
    assert set(results) == {"plan", "lint", "test", "train", "publish"}
    plan = run.jobs["plan"]
    publish = run.jobs["publish"]
    first = min(run.jobs.values(), key=lambda job: job.began)
    assert first == plan
    for name, job in run.jobs.items():
        if name != "publish":
            assert job.ended < publish.began, name


def check_commit(
    project: Project,
    pushed: str,
    runs_before: set[str],
) -> None:
    """Check the pipeline's commit: on top of the push, with its own files alone."""
    parent = git(project.origin, "log", "-1", "--format=%P", "main")
    assert parent == pushed
    listed = git(project.origin, "diff-tree", "--name-only", "-r", parent, "main")
    touched = listed.splitlines()
    assert touched
    assert all(is_owned(path) for path in touched)
    new = sorted(project.runs() - runs_before)
    assert len(new) == 3
    content = git(project.origin, "show", f"main:{new[0]}")
    record = json.loads(content)
    tags = record["tags"]
    assert tags["mlflow.source.git.commit"] == parent


def test_pushes_are_answered_with_commits_and_those_with_nothing(
    project: Project,
) -> None:
    before = project.runs()
    head = git(project.clone, "rev-parse", "HEAD")
    run = project.push("feat: smaller", "--job", "publish", *ONE_PYTHON)
    pushed = git(project.clone, "rev-parse", "HEAD")
    assert pushed != head
    check_order(run)
    # The outputs of one job get into the next.
    outputs = run.jobs["publish"].outputs
    assert outputs["commit"] == project.main
    assert "iris v2 stays" in outputs["headline"]
    check_commit(project, pushed, before)
    status = project.github.statuses[project.main]
    assert status["context"] == "Published"

    # The pipeline's commit as an event: its content counts, and not its author.
    project.pull()
    event = events.push(project.clone)
    again = project.runner.run(project.clone, "push", event)
    assert again.results == {"plan": "success", "verdict": "success"}
    planned = again.jobs["plan"].outputs
    assert planned["jobs"] == "[]"
    assert "own commit" in again.summary
    # A push to another branch is left to its pull request.
    branch_event = events.push(project.clone, "topic")
    of_branch = project.runner.run(project.clone, "push", branch_event)
    assert of_branch.results == {}


def begin_anew(project: Project, branch: str) -> str:
    """Replace the history by one commit without runs and models; return the commit."""
    clone = project.clone
    git(clone, "rm", "-rq", *HISTORY)
    # The other C of these tests is too small for the thresholds, and there is no
    # champion.
    params = clone / "params.yaml"
    params.write_text(PARAMS % 1, "utf-8")
    commit_all(clone, "chore: begin anew")
    tree = git(clone, "rev-parse", "HEAD^{tree}")
    identity = ("-c", "user.name=P", "-c", "user.email=p@example.org")
    first = git(clone, *identity, "commit-tree", "-m", "Initial commit", tree)
    git(clone, "reset", "--quiet", "--hard", first)
    target = f"HEAD:refs/heads/{branch}"
    git(clone, "push", "--quiet", "--force", "origin", target)
    return first


def test_the_first_push_of_an_empty_copy_publishes_a_first_champion(
    tmp_path: Path,
) -> None:
    """One commit, another default branch, no run, no model: as others begin."""
    with github() as api:
        project = Project(tmp_path, api, branch="trunk")
        first = begin_anew(project, "trunk")
        event = events.push(
            project.clone,
            before=NOTHING,
            private=True,
        )
        run = project.runner.run(
            project.clone,
            "push",
            event,
            "--job",
            "publish",
        )
    assert run.results["publish"] == "success", run.failures
    assert jobs_named(run, "test") == {"test 3.13"}
    outputs = run.jobs["publish"].outputs
    assert outputs["headline"] == "iris v1 promoted"
    assert outputs["ship"] == "true"
    log = git(project.origin, "log", "--format=%H", "trunk")
    assert log.split() == [outputs["commit"], first]


def jobs_named(run: Run, start: str) -> set[str]:
    """Return the jobs whose names start with a word."""
    return {name for name in run.jobs if name.startswith(start)}


@pytest.mark.nightly
def test_two_jobs_that_train_are_published_by_one_commit(project: Project) -> None:
    own = project.clone
    tables = own_tasks.write(own)
    for name in tables.keys() - {"tickets"}:
        path = own / "pipeline" / "tasks" / f"{name}.yaml"
        path.unlink()
    own_tasks.add_table(own, "tickets", tables["tickets"])
    project.runner.variables["MLOPS_TRAIN_JOBS"] = "2"
    run = project.push("feat: another task", "--job", "publish", *ONE_PYTHON)
    assert run.results["publish"] == "success", run.failures
    assert jobs_named(run, "train") == {"train 1", "train 2"}
    headline = run.jobs["publish"].outputs["headline"]
    assert "iris v2 stays" in headline
    assert "tickets v1 promoted" in headline
    parent = git(project.origin, "log", "-1", "--format=%P", "main")
    pushed = git(own, "rev-parse", "HEAD")
    assert parent == pushed
    artifacts = run.folder / "artifacts"
    bundles = {path.name for path in artifacts.glob("bundle*")}
    assert bundles == {"bundle-1", "bundle-2"}


SUMMARY_OF_FAILURES = (
    "Stopped: lint failed",
    "train failed, too",
    "examples/bad.py:1: F401 'os' imported but unused",
    "bash scripts/nox.sh -s lint",
    "Nothing was published",
)


def spoil_a_row(path: Path) -> None:
    """Make the first value of the third row negative."""
    content = gzip.decompress(path.read_bytes())
    lines = content.decode().splitlines()
    lines[3] = "-" + lines[3]
    text = "\n".join(lines) + "\n"
    spoiled = gzip.compress(text.encode())
    path.write_bytes(spoiled)


def test_a_lint_error_and_invalid_data_stop_it(project: Project) -> None:
    untidy = project.clone / "examples" / "bad.py"
    untidy.write_text("import os\n")
    spoil_a_row(project.clone / "data" / "iris.csv.gz")
    run = project.push("feat: untidy, with a typing error in the data", *ONE_PYTHON)
    failed = set()
    ended = set()
    for name, result in run.results.items():
        if result == "failure":
            failed.add(name)
        if result != "skipped":
            ended.add(name)
    assert failed == {"lint", "train", "verdict"}
    assert not ended & {"publish", "images", "smoke", "release"}
    pushed = git(project.clone, "rev-parse", "HEAD")
    assert project.main == pushed
    training = run.jobs["train"]
    assert "row 3" in training.outputs["failure"]
    for expected in SUMMARY_OF_FAILURES:
        assert expected in run.summary


def test_a_failing_test_stops_a_pull_request_and_its_comment_says_so(
    project: Project,
) -> None:
    before = project.main
    failing = project.clone / "tests" / "test_small.py"
    failing.write_text(TEST.format(sum="1 + 2"))
    commit_all(project.clone, "feat: wrong")
    event = events.pull_request(project.clone, 7)
    run = project.runner.run(
        project.clone,
        "pull_request",
        event,
        *ONE_PYTHON,
    )
    assert run.results["test"] == "failure"
    assert run.results["verdict"] == "failure"
    assert "images" not in run.results
    assert project.main == before
    assert "Stopped: test failed" in run.summary
    assert "tests/test_small.py::test_small" in run.summary
    (comment,) = project.github.comments
    assert comment["body"].endswith(run.summary)
