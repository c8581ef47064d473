"""Retraining in the GitHub workflow: a real HTTP server stands for GitHub's API."""

from collections.abc import Iterator

import pytest
import yaml

from core.errors import PipelineError
from core.jobs import JobRequest
from pipeline.worker.retrain_job import run
from tests.conftest import Clone
from tests.paths import ROOT
from tests.support.web_servers import TOKEN, GitHub, github_api

WORKFLOWS = ROOT / ".github" / "workflows"
REQUEST = JobRequest(kind="retrain", tasks=["housing", "iris"], reason="drift")
DISPATCHES = "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github_api(monkeypatch) as server:
        yield server


def test_the_workflow_is_dispatched(github: GitHub, clone: Clone) -> None:
    repo = clone("checkout")
    result = run(repo, repo.build, REQUEST)
    assert result == {"dispatched": "https://github.com/someone/mlops/actions"}
    ((path, headers, body),) = github.asked
    assert path == DISPATCHES
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    inputs = {"tasks": "housing iris", "reason": "drift"}
    assert body == {"ref": "trunk", "inputs": inputs}


def test_a_retrain_for_drift_refreshes_the_data(github: GitHub, clone: Clone) -> None:
    repo = clone("checkout")
    request = REQUEST.model_copy(update={"drift": True})
    run(repo, repo.build, request)
    ((path, _, body),) = github.asked
    assert path == DISPATCHES
    inputs = {
        "tasks": "housing iris",
        "reason": "drift",
        "refresh_data": "true",
    }
    assert body == {"ref": "trunk", "inputs": inputs}
    assert inputs.keys() <= inputs_of_the_workflow()


def inputs_of_the_workflow() -> set[str]:
    path = WORKFLOWS / "mlops.yml"
    workflow = yaml.safe_load(path.read_text("utf-8"))
    triggers = workflow[True]  # `on` is a truth value in YAML 1.1
    return set(triggers["workflow_dispatch"]["inputs"])


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, b'{"message": "Bad credentials"}'),
        (422, b'{"message": "No ref"}'),
        (502, b"<html>"),
    ],
)
def test_a_refusal_is_reported_without_the_token(
    github: GitHub,
    clone: Clone,
    status: int,
    answer: bytes,
) -> None:
    repo = clone("checkout")
    github.status = status
    github.answer = answer
    with pytest.raises(PipelineError) as caught:
        run(repo, repo.build, REQUEST)
    message = str(caught.value)
    assert f"GitHub answers {status}: {answer.decode()}" in message
    assert TOKEN not in message


def test_a_malformed_token_is_not_shown(
    github: GitHub, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = clone("checkout")
    monkeypatch.setenv("GITHUB_TOKEN", f"{TOKEN}\nX")
    with pytest.raises(PipelineError, match="no answer .InvalidHeader") as caught:
        run(repo, repo.build, REQUEST)
    assert TOKEN not in str(caught.value)
    assert not github.asked


def test_a_host_that_does_not_answer_is_reported_without_the_token(
    github: GitHub, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = clone("checkout")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(PipelineError, match="no answer .ConnectionError") as caught:
        run(repo, repo.build, REQUEST)
    assert TOKEN not in str(caught.value)


def test_an_unknown_task_is_reported_before_anything_is_sent(
    github: GitHub, clone: Clone
) -> None:
    repo = clone("checkout")
    request = JobRequest(kind="retrain", tasks=["wine"])
    with pytest.raises(PipelineError, match="there is no task 'wine'"):
        run(repo, repo.build, request)
    assert not github.asked
