"""Servers that fail temporarily, servers that refuse, and servers that are missing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git
from pipeline.publish import remote as remotes
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.conftest import Clone, posix
from tests.support.clock import replace_sleep
from tests.support.git_server import Server, serve
from tests.support.publishing import note, reject_pushes


@pytest.fixture
def server(origin: Path) -> Iterator[type[Server]]:
    """Serve the origin over HTTP."""
    with serve(origin.parent) as handler:
        yield handler


@pytest.fixture
def mine(clone: Clone, origin: Path, server: type[Server]) -> Repo:
    """A clone whose origin is the server, with a password in the address."""
    repo = clone("mine")
    address = f"http://me:pass-word@{server.address}/{origin.name}"
    git(repo.root, "remote", "set-url", "origin", address)
    return repo


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the seconds that would be waited, instead of waiting."""
    seconds: list[float] = []
    replace_sleep(monkeypatch, remotes, seconds.append)
    return seconds


@posix
@pytest.mark.parametrize("service", ["fetch", "push"])
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_request_is_repeated_if_the_server_fails_temporarily(
    mine: Repo,
    server: type[Server],
    origin: Path,
    waited: list[float],
    service: str,
    status: int,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server.answers[service] = [(status, b"")] * 2
    commit, _ = land(mine, "origin", "main", note("mine"))
    assert git(origin, "rev-parse", "main") == commit
    notices = capfd.readouterr().err
    assert notices.count("the remote origin failed") == 2
    assert f"error: {status}" in notices
    assert "trying again in 2 seconds" in notices
    assert "trying again in 4 seconds" in notices
    assert "pass-word" not in notices


@posix
def test_a_server_that_keeps_failing_is_given_up(
    mine: Repo, server: type[Server], waited: list[float]
) -> None:
    server.answers["push"] = [(502, b"")] * 20
    with pytest.raises(PipelineError) as caught:
        land(mine, "origin", "main", note("mine"))
    message = str(caught.value)
    assert "the remote origin failed in 6 attempts" in message
    assert "error: 502" in message
    assert "ruleset" not in message
    assert "pass-word" not in message
    assert "nothing is lost" in message
    assert sum(waited) < 90


@posix
@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (401, b"", "check that you have write access"),
        (403, b"", "check that you have write access"),
        (
            403,
            b"Write access to repository not granted.",
            "Write access to repository not granted",
        ),
        (403, b"This repository was archived so it is read-only.", "unarchive the"),
        (404, b"", "check the address"),
        (413, b"", "100 MB per file"),
    ],
)
def test_a_push_that_a_server_refuses_is_not_repeated(
    mine: Repo,
    server: type[Server],
    waited: list[float],
    status: int,
    body: bytes,
    advice: str,
) -> None:
    server.answers["push"] = [(status, body)] * 4
    message = f"origin rejected the push to main .*{advice}"
    with pytest.raises(PipelineError, match=message) as caught:
        land(mine, "origin", "main", note("mine"))
    assert "ruleset" not in str(caught.value)
    assert "pass-word" not in str(caught.value)
    assert len(server.answers["push"]) >= 2
    assert not waited


@posix
@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_fetch_is_reported_as_one(
    mine: Repo, server: type[Server], status: int
) -> None:
    server.answers["fetch"] = [(status, b"")] * 4
    message = "cannot fetch from the remote origin"
    with pytest.raises(PipelineError, match=message) as caught:
        land(mine, "origin", "main", note("mine"))
    assert "pass-word" not in str(caught.value)
    assert "ruleset" not in str(caught.value)


@posix
def test_a_push_whose_response_was_lost_is_not_repeated(
    mine: Repo, server: type[Server], origin: Path
) -> None:
    pushed = git(origin, "rev-parse", "main")
    respond = Server.do_GET
    lost: list[str] = []

    def lose_the_first_response(self: Server) -> None:
        is_push = self.command == "POST" and "git-receive-pack" in self.path
        if lost or not is_push:
            respond(self)
            return
        lost.append(self.path)
        self.end = lambda body: None  # type: ignore[method-assign]
        respond(self)
        self.close_connection = True
        self.connection.close()

    server.do_GET = lose_the_first_response  # type: ignore[method-assign]
    server.do_POST = lose_the_first_response  # type: ignore[method-assign]
    commit, _ = land(mine, "origin", "main", note("mine"))
    assert lost
    assert git(origin, "rev-parse", "main") == commit
    assert git(origin, "rev-parse", "main~1") == pushed


def test_a_server_that_is_not_running(clone: Clone, waited: list[float]) -> None:
    repo = clone("mine")
    address = "http://me:pass-word@127.0.0.1:9/r"
    git(repo.root, "remote", "set-url", "--push", "origin", address)
    with pytest.raises(PipelineError) as caught:
        land(repo, "origin", "main", note("mine"))
    message = str(caught.value)
    assert "the remote origin failed in 6 attempts" in message
    assert "127.0.0.1" in message
    assert "ruleset" not in message
    assert "pass-word" not in message
    assert len(waited) == 5


@posix
@pytest.mark.parametrize(
    ("hook", "advice"),
    [
        ("error: GH001: Large files detected.", "100 MB per file"),
        (
            "error: GH007: Your push would publish a private email address.",
            "no-reply address",
        ),
        ("error: GH009: Secrets detected! This push failed.", "revoke it"),
        (
            "error: GH013: Repository rule violations found for refs/heads/main.",
            "three ways out",
        ),
        ("no space left on device", "the server has no space left"),
        ("you shall not pass", "three ways out"),
    ],
)
def test_the_message_of_a_server_s_hook_is_shown_with_advice(
    clone: Clone, origin: Path, hook: str, advice: str
) -> None:
    reject_pushes(origin, hook)
    with pytest.raises(PipelineError, match=advice) as caught:
        land(clone("mine"), "origin", "main", note("mine"))
    message = str(caught.value)
    assert hook in message
    is_about_rules = advice == "three ways out"
    assert ("three ways out" in message) == is_about_rules
