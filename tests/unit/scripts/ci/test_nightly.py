"""The nightly jobs run only after changes, with real Git and a server as GitHub."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.git import git
from tests.conftest import commit_all
from tests.paths import ROOT
from tools.rehearse.act import REPOSITORY, TOKEN
from tools.rehearse.github import BASE, GitHub, github

RUNS = f"{BASE}/actions/workflows/nightly.yml/runs"


@pytest.fixture
def api() -> Iterator[GitHub]:
    with github() as server:
        yield server


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "code.py").write_text("1")
    commit_all(tmp_path, "feat: begin")
    return tmp_path


def night(api: GitHub, repo: Path, last: str, **more: str) -> str:
    """Return which jobs run, after a green night at a commit."""
    runs = []
    if last:
        runs.append({"head_sha": last})
    api.shows[RUNS] = {"workflow_runs": runs}
    output = repo.parent / f"{repo.name}-output"
    output.unlink(missing_ok=True)
    variables = {
        "BRANCH": "main",
        "GITHUB_API_URL": api.address,
        "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN,
        "MLOPS_BUDGET": "",
        "PRIVATE": "false",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-S", "-m", "scripts.ci.nightly"]
    done = subprocess.run(
        command,
        cwd=repo,
        env=os.environ | variables | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = output.read_text("utf-8").splitlines()
    outputs = dict(line.split("=") for line in lines)
    jobs = {
        ("false", "false"): "none",
        ("true", "false"): "few",
        ("true", "true"): "all",
    }
    return jobs[outputs["run"], outputs["thorough"]]


def test_it_runs_after_a_push_of_a_person_alone(api: GitHub, repo: Path) -> None:
    head = git(repo, "rev-parse", "HEAD")
    assert night(api, repo, "") == "all"
    assert night(api, repo, head) == "none"
    (repo / "mlruns").mkdir()
    (repo / "mlruns" / "run.json").write_text("1")
    commit_all(repo, f"chore(publish): iris\n\nMlops-Publish: {head}\n")
    assert night(api, repo, head) == "none"
    (repo / "code.py").write_text("2")
    commit_all(repo, "feat: two")
    assert night(api, repo, head) == "all"


def test_a_branch_that_was_rewritten_has_changed(api: GitHub, repo: Path) -> None:
    assert night(api, repo, "f" * 40) == "all"


def test_a_small_budget_has_fewer_jobs(api: GitHub, repo: Path) -> None:
    assert night(api, repo, "", PRIVATE="true") == "few"
    assert night(api, repo, "", MLOPS_BUDGET="small") == "few"
    assert night(api, repo, "", PRIVATE="true", MLOPS_BUDGET="full") == "all"


def test_a_manual_start_gets_a_run(api: GitHub, repo: Path) -> None:
    head = git(repo, "rev-parse", "HEAD")
    assert night(api, repo, head, GITHUB_EVENT_NAME="workflow_dispatch") == "all"
