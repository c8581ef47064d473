"""Retraining in the GitHub workflow: a real HTTP server stands for GitHub's API."""

from collections.abc import Callable, Iterator

import pytest
import yaml

from core.errors import PipelineError
from core.jobs import JobRequest
from pipeline.repo import Repo
from pipeline.worker.retrain_job import run
from tests.paths import ROOT
from tests.support.web_servers import TOKEN, GitHub, github_api

WORKFLOWS = ROOT / ".github" / "workflows"
ASK = JobRequest(kind="retrain", tasks=["housing", "iris"], reason="drift")


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github_api(monkeypatch) as server:
        yield server


def test_the_workflow_is_dispatched(github: GitHub, clone: Callable[..., Repo]) -> None:
    repo = clone("checkout")
    assert run(repo, repo.build, ASK) == {
        "dispatched": "https://github.com/someone/mlops/actions"
    }
    ((path, headers, body),) = github.asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert body == {
        "ref": "trunk",
        "inputs": {"tasks": "housing iris", "reason": "drift"},
    }


def test_drift_is_answered_with_data_from_their_sources(
    github: GitHub, clone: Callable[..., Repo]
) -> None:
    repo = clone("checkout")
    run(repo, repo.build, ASK.model_copy(update={"drift": True}))
    ((path, _, body),) = github.asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    inputs = {"tasks": "housing iris", "reason": "drift", "refresh_data": "true"}
    assert body == {"ref": "trunk", "inputs": inputs}
    workflow = yaml.safe_load((WORKFLOWS / "mlops.yml").read_text("utf-8"))
    assert inputs.keys() <= workflow[True]["workflow_dispatch"]["inputs"].keys()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, b'{"message": "Bad credentials"}'),
        (422, b'{"message": "No ref"}'),
        (502, b"<html>"),
    ],
)
def test_a_refusal_is_told_without_the_token(
    github: GitHub, clone: Callable[..., Repo], status: int, answer: bytes
) -> None:
    github.status, github.answer = status, answer
    with pytest.raises(PipelineError) as caught:
        run(clone("checkout"), clone("other").build, ASK)
    assert f"GitHub answers {status}: {answer.decode()}" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_silent_github_and_a_broken_token_are_told_without_it(
    github: GitHub, clone: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = clone("checkout")
    monkeypatch.setenv("GITHUB_TOKEN", f"{TOKEN}\nX")
    with pytest.raises(PipelineError, match="no answer .InvalidHeader") as caught:
        run(repo, repo.build, ASK)
    assert TOKEN not in str(caught.value) and not github.asked
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(PipelineError, match="no answer .ConnectionError") as caught:
        run(repo, repo.build, ASK)
    assert TOKEN not in str(caught.value)


def test_an_unknown_task_is_told_before_anything_is_sent(
    github: GitHub, clone: Callable[..., Repo]
) -> None:
    repo = clone("checkout")
    with pytest.raises(PipelineError, match="there is no task 'wine'"):
        run(repo, repo.build, JobRequest(kind="retrain", tasks=["wine"]))
    assert not github.asked
