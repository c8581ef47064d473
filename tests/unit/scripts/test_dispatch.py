"""Starting the workflow, with a real HTTP server in GitHub's place."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.repo import Repo
from pipeline.worker import retrain
from pipeline.worker.jobs import Request
from tests.paths import ROOT
from tests.support.web_servers import TOKEN, GitHub, github_api

REASON = "the data of housing changed at its source: sha256 1234… → 5678…"
TOLD = {
    "BRANCH": "trunk",
    "TASKS": "housing iris",
    "REASON": REASON,
    "FRESH_DATA": "true",
}


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github_api(monkeypatch) as server:
        yield server


def dispatch(**told: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the workflow does: nothing but the standard library can be
    imported.
    """
    command = [sys.executable, "-S", "-m", "scripts.ci.dispatch"]
    ours = {"PYTHONUTF8": "1", "GITHUB_STEP_SUMMARY": ""} | told
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | ours, capture_output=True, encoding="utf-8"
    )


def test_the_workflow_is_started_for_the_tasks(github: GitHub) -> None:
    done = dispatch(**TOLD)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Started mlops.yml on trunk for housing iris: {REASON}\n"
    ((path, headers, body),) = github.asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    inputs = {"tasks": "housing iris", "reason": REASON, "fresh_data": "true"}
    assert body == {"ref": "trunk", "inputs": inputs}


def test_the_page_of_the_run_says_why(github: GitHub, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    where = {
        "GITHUB_STEP_SUMMARY": str(page),
        "GITHUB_SERVER_URL": "https://github.example",
    }
    assert dispatch(**TOLD | where).returncode == 0
    link = "https://github.example/someone/mlops/actions/workflows/mlops.yml"
    started = f"Started [mlops.yml]({link}) on trunk for housing iris: {REASON}\n"
    assert page.read_text("utf-8") == started
    github.status = 403
    assert dispatch(**TOLD | where).returncode == 1
    assert page.read_text("utf-8") == started


def test_the_inputs_are_those_of_the_trainer_s_request(
    github: GitHub, clone: Callable[..., Repo]
) -> None:
    dispatch(BRANCH="trunk", TASKS="housing iris", REASON="drift")
    repo = clone("checkout")
    asked = Request(kind="retrain", tasks=["housing", "iris"], reason="drift")
    retrain.run(repo, repo.build, asked)
    (path, _, ours), (theirs_path, _, theirs) = github.asked
    assert path == theirs_path and ours["ref"] == theirs["ref"]
    assert ours["inputs"] == theirs["inputs"] | {"fresh_data": "false"}


@pytest.mark.parametrize("drift", [False, True])
def test_what_the_trainer_sends_is_what_the_workflow_takes(
    github: GitHub, clone: Callable[..., Repo], drift: bool
) -> None:
    repo = clone("checkout")
    asked = Request(kind="retrain", tasks=["iris"], reason="alert", drift=drift)
    retrain.run(repo, repo.build, asked)
    ((path, _, body),) = github.asked
    name = path.split("/")[-2]
    assert name == ("drift.yml" if drift else "mlops.yml")
    workflow = yaml.safe_load(
        (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    )
    assert body["inputs"].keys() <= workflow[True]["workflow_dispatch"]["inputs"].keys()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, b'{"message":\n "Resource not accessible"}'),
        (422, b'{"message": "No ref"}'),
    ],
)
def test_a_refusal_is_one_sentence(github: GitHub, status: int, answer: bytes) -> None:
    github.status, github.answer = status, answer
    done = dispatch(**TOLD)
    said = " ".join(answer.decode().split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"/dispatches: GitHub answers {status}: {said}\n")
    assert done.stderr.count("\n") == 1 and TOKEN not in done.stderr


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, 1, "no answer ("),
        ({"GITHUB_API_URL": "nowhere"}, 1, "no answer (ValueError)"),
        ({"GITHUB_TOKEN": f"{TOKEN}\nX"}, 1, "no answer (ValueError)"),
        ({"GITHUB_TOKEN": " "}, 2, "GITHUB_TOKEN is not set"),
        ({"GITHUB_REPOSITORY": ""}, 2, "GITHUB_REPOSITORY is not set"),
        ({"BRANCH": ""}, 2, "BRANCH is not set"),
    ],
)
def test_what_keeps_it_from_asking_is_one_sentence_without_the_token(
    github: GitHub, told: dict[str, str], status: int, words: str
) -> None:
    done = dispatch(**TOLD | told)
    assert (done.returncode, done.stdout) == (status, "")
    assert (
        words in done.stderr
        and done.stderr.count("\n") == 1
        and TOKEN not in done.stderr
    )
    assert github.asked == []
