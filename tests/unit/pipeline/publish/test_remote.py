"""Servers that fail for the moment, or refuse: by HTTP, by hooks, and with nobody
there.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git
from pipeline.publish import remote as remotes
from pipeline.publish.loop import land
from pipeline.repo import Repo
from tests.conftest import posix
from tests.support.clock import replace_sleep
from tests.support.git_server import Server, serve
from tests.unit.pipeline.publish.test_loop import note, reject_pushes

Clone = Callable[..., Repo]


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
    """How long would have been waited: here it is not."""
    told: list[float] = []
    replace_sleep(monkeypatch, remotes, told.append)
    return told


@posix
@pytest.mark.parametrize("service", ["fetch", "push"])
@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_that_fails_for_the_moment_is_asked_again(
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
    said = capfd.readouterr().err
    assert said.count("origin does not answer") == 2
    assert f"error: {status}" in said
    assert "trying again in 2 seconds" in said
    assert "trying again in 4 seconds" in said
    assert "pass-word" not in said


@posix
def test_a_server_that_goes_on_failing_is_given_up(
    mine: Repo, server: type[Server], waited: list[float]
) -> None:
    server.answers["push"] = [(502, b"")] * 20
    with pytest.raises(PipelineError) as caught:
        land(mine, "origin", "main", note("mine"))
    said = str(caught.value)
    assert "origin cannot be reached, tried 6 times" in said
    assert "error: 502" in said
    assert "ruleset" not in said
    assert "pass-word" not in said
    assert "nothing is lost" in said
    assert sum(waited) < 90


@posix
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"", "check that you may write there"),
        (403, b"", "check that you may write there"),
        (
            403,
            b"Write access to repository not granted.",
            "Write access to repository not granted",
        ),
        (403, b"This repository was archived so it is read-only.", "unarchive it"),
        (404, b"", "check its address"),
        (413, b"", "100 MB per file"),
    ],
)
def test_a_server_that_refuses_is_not_asked_again(
    mine: Repo,
    server: type[Server],
    waited: list[float],
    status: int,
    body: bytes,
    words: str,
) -> None:
    server.answers["push"] = [(status, body)] * 4
    with pytest.raises(
        PipelineError, match=f"origin refuses pushes to main .*{words}"
    ) as caught:
        land(mine, "origin", "main", note("mine"))
    assert "ruleset" not in str(caught.value)
    assert "pass-word" not in str(caught.value)
    assert len(server.answers["push"]) >= 2
    assert not waited


@posix
@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_fetch_that_is_refused_is_named_as_that(
    mine: Repo, server: type[Server], status: int
) -> None:
    server.answers["fetch"] = [(status, b"")] * 4
    with pytest.raises(
        PipelineError, match="the remote origin cannot be reached"
    ) as caught:
        land(mine, "origin", "main", note("mine"))
    assert "pass-word" not in str(caught.value)
    assert "ruleset" not in str(caught.value)


@posix
def test_a_push_whose_answer_was_lost_is_not_made_twice(
    mine: Repo, server: type[Server], origin: Path
) -> None:
    pushed = git(origin, "rev-parse", "main")
    once = Server.do_GET

    def lose_the_answer(self: Server) -> None:
        if self.command == "POST" and "git-receive-pack" in self.path and not lost:
            lost.append(True)
            self.end = lambda body: None  # type: ignore[method-assign]
            once(self)
            self.close_connection = True
            self.connection.close()
        else:
            once(self)

    lost: list[bool] = []
    server.do_GET = server.do_POST = lose_the_answer  # type: ignore[method-assign]
    commit, _ = land(mine, "origin", "main", note("mine"))
    assert lost
    assert git(origin, "rev-parse", "main") == commit
    assert git(origin, "rev-parse", "main~1") == pushed


def test_nobody_listens(clone: Clone, waited: list[float]) -> None:
    repo = clone("mine")
    git(
        repo.root,
        "remote",
        "set-url",
        "--push",
        "origin",
        "http://me:pass-word@127.0.0.1:9/r",
    )
    with pytest.raises(PipelineError) as caught:
        land(repo, "origin", "main", note("mine"))
    said = str(caught.value)
    assert "cannot be reached, tried 6 times" in said
    assert "127.0.0.1" in said
    assert "ruleset" not in said
    assert "pass-word" not in said
    assert len(waited) == 5


@posix
@pytest.mark.parametrize(
    ("hook", "words"),
    [
        ("error: GH001: Large files detected.", "100 MB per file"),
        (
            "error: GH007: Your push would publish a private email address.",
            "no-reply address",
        ),
        ("error: GH009: Secrets detected! This push failed.", "revoke it"),
        (
            "error: GH013: Repository rule violations found for refs/heads/main.",
            "Three ways out",
        ),
        ("no space left on device", "the server has no space left"),
        ("you shall not pass", "Three ways out"),
    ],
)
def test_what_the_server_s_hooks_say_is_told_with_what_to_do(
    clone: Clone, origin: Path, hook: str, words: str
) -> None:
    reject_pushes(origin, hook)
    with pytest.raises(PipelineError, match=words) as caught:
        land(clone("mine"), "origin", "main", note("mine"))
    assert hook in str(caught.value)
    assert ("Three ways out" in str(caught.value)) == (words == "Three ways out")
