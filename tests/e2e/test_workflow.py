"""The workflow file as it is, run by act: a push to a bare repository, and what comes
back.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.file_names import is_owned
from core.git import git
from scripts.ci.plan import NOTHING
from tests.conftest import commit_all
from tests.support.factories import PARAMS
from tests.support.small_project import ONE_PYTHON, TEST, Project
from tools.rehearse import events
from tools.rehearse.github import github

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with github() as api:
        yield Project(tmp_path, api)


def test_pushes_are_answered_with_commits_and_those_with_nothing(
    project: Project,
) -> None:
    before, head = project.runs(), git(project.clone, "rev-parse", "HEAD")
    run = project.push("feat: smaller", "--job", "publish", *ONE_PYTHON)

    # In order, with the outputs of one in the next.
    assert set(run.results.values()) == {"success"}, run.results
    assert set(run.results) == {"plan", "lint", "test", "train", "publish"}
    began = {name: job.began for name, job in run.jobs.items()}
    assert began["plan"] == min(began.values())
    assert began["publish"] > max(
        job.ended for job in run.jobs.values() if job.name != "publish"
    )
    assert run.jobs["publish"].outputs["commit"] == project.main
    assert "iris v2 stays" in run.jobs["publish"].outputs["headline"]

    # The commit: the pipeline's own, on top of the push, with nothing but what it owns.
    parent = git(project.origin, "log", "-1", "--format=%P", "main")
    assert parent == git(project.clone, "rev-parse", "HEAD") != head
    touched = git(
        project.origin, "diff-tree", "--name-only", "-r", parent, "main"
    ).splitlines()
    assert touched and all(is_owned(path) for path in touched)
    new = project.runs() - before
    assert len(new) == 3
    record = json.loads(git(project.origin, "show", f"main:{sorted(new)[0]}"))
    assert record["tags"]["mlflow.source.git.commit"] == parent

    assert project.github.statuses[project.main]["context"] == "Published"

    # The pipeline's commit as an event: its content is known, whoever calls himself its
    # author.
    project.pull()
    again = project.runner.run(project.clone, "push", events.push(project.clone))
    assert again.results == {"plan": "success", "verdict": "success"}
    assert again.jobs["plan"].outputs["jobs"] == "[]" and "own commit" in again.summary
    # A push to another branch is left to its pull request.
    branch = events.push(project.clone, "topic")
    assert project.runner.run(project.clone, "push", branch).results == {}


@pytest.mark.nightly
def test_the_first_push_of_an_empty_copy_publishes_a_first_champion(
    tmp_path: Path,
) -> None:
    """One commit, another default branch, no run, no model: as others begin."""
    with github() as api:
        project = Project(tmp_path, api, branch="trunk")
        git(
            project.clone, "rm", "-rq", "mlruns/iris", "mlruns/housing", "mlruns/credit"
        )
        git(
            project.clone,
            "rm",
            "-rq",
            "mlruns/registry",
            "deployment/models",
            "results",
        )
        # The other C of these tests is too small for the thresholds, and there is no
        # champion.
        (project.clone / "params.yaml").write_text(PARAMS % 1, "utf-8")
        commit_all(project.clone, "chore: begin anew")
        tree = git(project.clone, "rev-parse", "HEAD^{tree}")
        person = ("-c", "user.name=P", "-c", "user.email=p@example.org")
        first = git(project.clone, *person, "commit-tree", "-m", "Initial commit", tree)
        git(project.clone, "reset", "--quiet", "--hard", first)
        git(
            project.clone,
            "push",
            "--quiet",
            "--force",
            "origin",
            "HEAD:refs/heads/trunk",
        )
        event = events.push(project.clone, before=NOTHING, private=True)
        run = project.runner.run(project.clone, "push", event, "--job", "publish")
        assert run.results["publish"] == "success", run.results
        assert {name for name in run.jobs if name.startswith("test")} == {"test 3.13"}
        outputs = run.jobs["publish"].outputs
        assert outputs["headline"] == "iris v1 promoted" and outputs["ship"] == "true"
        assert git(project.origin, "log", "--format=%H", "trunk").split() == [
            outputs["commit"],
            first,
        ]


def test_a_lint_error_and_invalid_data_stop_it(project: Project) -> None:
    (project.clone / "examples" / "bad.py").write_text("import os\n")
    path = project.clone / "data" / "iris.csv.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    lines[3] = "-" + lines[3]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    run = project.push("feat: untidy, with a typing error in the data", *ONE_PYTHON)
    assert {name for name, result in run.results.items() if result == "failure"} == {
        "lint",
        "train",
        "verdict",
    }
    assert not {"publish", "images", "smoke", "release"} & {
        name for name, result in run.results.items() if result != "skipped"
    }
    assert project.main == git(project.clone, "rev-parse", "HEAD")
    assert "row 3" in run.jobs["train"].outputs["failure"]
    assert "Stopped: lint failed" in run.summary and "train failed, too" in run.summary
    assert "examples/bad.py:1: F401 'os' imported but unused" in run.summary
    assert "bash scripts/nox.sh -s lint" in run.summary
    assert "Nothing was published" in run.summary


def test_a_failing_test_stops_a_pull_request_and_is_told_in_its_comment(
    project: Project,
) -> None:
    before = project.main
    (project.clone / "tests" / "test_small.py").write_text(TEST.format(sum="1 + 2"))
    commit_all(project.clone, "feat: wrong")
    event = events.pull_request(project.clone, 7)
    run = project.runner.run(project.clone, "pull_request", event, *ONE_PYTHON)
    assert run.results["test"] == run.results["verdict"] == "failure"
    assert "images" not in run.results and project.main == before
    assert "Stopped: test failed" in run.summary
    assert "tests/test_small.py::test_small" in run.summary
    (comment,) = project.github.comments
    assert comment["body"].endswith(run.summary)
