"""The state of a release as a commit status, sent to a server in place of GitHub."""

import pytest

from core.errors import PipelineError
from pipeline.reconcile import access
from pipeline.reconcile.commit_status import MOST_CHARACTERS, CommitStatus
from pipeline.reconcile.reconciler import Outcome, Pass
from tests.support.web_servers import TOKEN, github_api

COMMIT = "c" * 40
ADDRESS = "https://github.com/someone/mlops.git"


def status_of(address: str = ADDRESS) -> CommitStatus:
    status = CommitStatus.of(address)
    assert status
    return status


def test_each_new_state_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(access.VARIABLE, TOKEN)
    monkeypatch.setenv("MLOPS_ENVIRONMENT", "staging")
    with github_api(monkeypatch) as github:
        status = status_of()
        status.report(Pass(Outcome.APPLIED, "Release cc was applied.", commit=COMMIT))
        status.report(Pass(Outcome.IN_SYNC, "in service", commit=COMMIT))
        status.report(Pass(Outcome.ORIGIN_AWAY, "away", fetched=False))
        status.report(Pass(Outcome.NOTHING_DECLARED, "nothing"))
        reason = "refused " * 40
        status.report(Pass(Outcome.REFUSED, reason, commit="d" * 40))
    (path, headers, content), (other, _, refusal) = github.asked
    assert path == f"/repos/someone/mlops/statuses/{COMMIT}"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert content == {
        "state": "success",
        "context": "release (staging)",
        "description": "Release cc was applied.",
    }
    assert other.endswith("d" * 40)
    assert refusal["state"] == "failure"
    assert refusal["description"] == reason[:MOST_CHARACTERS]


def test_a_state_that_github_refuses_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(access.VARIABLE, TOKEN)
    result = Pass(Outcome.APPLIED, "applied", commit=COMMIT)
    with github_api(monkeypatch) as github:
        status = status_of()
        github.status = 403
        with pytest.raises(PipelineError) as refused:
            status.report(result)
        assert "the commit status is not set: http" in str(refused.value)
        assert TOKEN not in str(refused.value)
        github.status = 200
        github.answer = b"<html>"  # of a proxy in between
        with pytest.raises(PipelineError, match="the answer is no JSON"):
            status.report(result)
        github.status = 201
        github.answer = b"{}"
        status.report(result)
        status.report(result)
    assert len(github.asked) == 3


def test_there_is_a_status_on_github_with_a_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(access.VARIABLE, raising=False)
    assert CommitStatus.of(ADDRESS) is None
    monkeypatch.setenv(access.VARIABLE, TOKEN)
    for address in (
        ADDRESS,
        "https://me:secret@github.com/someone/mlops",
        "git@github.com:someone/mlops.git",
        "ssh://git@github.com/someone/mlops.git",
    ):
        assert CommitStatus.of(address)
    for elsewhere in ("/srv/git/mlops.git", "https://git.example.org/someone/mlops"):
        assert CommitStatus.of(elsewhere) is None
