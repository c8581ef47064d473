"""Which jobs what happened calls for; and the pipeline's own commit, told apart in real Git."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.git import git
from scripts.ci.plan import plan
from tests.conftest import commit_all

ROOT = Path(__file__).parents[3]
OWN = "chore(publish): iris v2 promoted\n\nMlops-Publish: 0123456789abcdef\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for name in ("params.yaml", "mlruns/iris/run.json", "data/iris.csv.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    commit_all(tmp_path, "feat: a change by hand")
    return tmp_path


def planned(repo: Path, event: str, ref: str, **more: str) -> list[str]:
    """Run the script in a checkout as a workflow does; return its jobs."""
    output = repo.parent / f"{repo.name}-output"
    output.unlink(missing_ok=True)
    environment = {name: text for name, text in os.environ.items() if name != "ACT"}
    environment |= {"GITHUB_EVENT_NAME": event, "GITHUB_REF": ref, "GITHUB_OUTPUT": str(output)}
    environment |= {"PYTHONPATH": str(ROOT)} | more
    command = [sys.executable, "-m", "scripts.ci.plan"]
    subprocess.run(command, cwd=repo, env=environment, check=True, capture_output=True)
    lines = dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines())
    assert lines["why"].endswith(".")
    jobs: list[str] = json.loads(lines["jobs"])
    return jobs


def test_on_main_all_is_done_and_published(repo: Path) -> None:
    jobs = planned(repo, "push", "refs/heads/main")
    assert {"lint", "test", "test-windows", "train", "publish", "images", "release"} <= set(jobs)


@pytest.mark.parametrize("ref", ["refs/heads/topic", "refs/heads/main-2"])
@pytest.mark.parametrize("event", ["push", "workflow_dispatch"])
def test_on_a_branch_nothing_is_shipped(repo: Path, event: str, ref: str) -> None:
    assert planned(repo, event, ref) == ["lint", "test", "test-windows", "train"]


def test_a_pull_request_is_tried_as_a_whole_and_not_published(repo: Path) -> None:
    jobs = planned(repo, "pull_request", "refs/pull/7/merge")
    assert {"images", "verify", "e2e"} <= set(jobs)
    assert not {"publish", "release"} & set(jobs)


def publish_commit(repo: Path, *paths: str) -> None:
    for path in paths:
        (repo / path).write_text("2")
    commit_all(repo, OWN)


def test_the_pipelines_own_commit_is_not_answered(repo: Path) -> None:
    publish_commit(repo, "mlruns/iris/run.json", "data/iris.csv.gz")
    assert planned(repo, "push", "refs/heads/main") == []
    # Somebody who asks for a run gets one, whatever was last.
    assert "publish" in planned(repo, "workflow_dispatch", "refs/heads/main")


def test_the_trailer_alone_does_not_make_it_the_pipelines_own(repo: Path) -> None:
    publish_commit(repo, "mlruns/iris/run.json", "params.yaml")
    assert "publish" in planned(repo, "push", "refs/heads/main")


def test_a_change_of_the_same_files_by_hand_is_answered(repo: Path) -> None:
    (repo / "data/iris.csv.gz").write_text("3")
    commit_all(repo, "data: two more rows")
    assert "publish" in planned(repo, "push", "refs/heads/main")


def test_a_rehearsal_leaves_out_what_it_cannot_run(repo: Path) -> None:
    jobs = planned(repo, "push", "refs/heads/main", ACT="true")
    assert not {"e2e", "test-windows"} & set(jobs) and "publish" in jobs


def test_every_plan_says_why() -> None:
    assert "main" in plan("push", "refs/heads/main", own=False).why
    assert "topic" in plan("push", "refs/heads/topic", own=False).why
    assert "own" in plan("push", "refs/heads/main", own=True).why
