"""The token with which the reconciler reads a private repository."""

import base64
from pathlib import Path

import pytest

from core.errors import UsageError
from core.git import git
from pipeline.reconcile import access
from pipeline.reconcile.clone import Clone, OriginAway
from tests.conftest import posix
from tests.support.git_server import serve
from tests.support.released_models import repository

TOKEN = "a-token-of-the-tests"


def authorization(token: str) -> str:
    login = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return f"Basic {login}"


@posix
def test_a_private_repository_is_read_with_the_token_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = repository(tmp_path / "repo")
    git(tmp_path, "clone", "--quiet", "--bare", str(root), "origin.git")
    with serve(tmp_path, authorization=authorization(TOKEN)) as server:
        address = f"http://{server.address}/origin.git"

        def fetch() -> str:
            variables = access.credentials(address)
            return Clone(tmp_path / "clone", address, None, variables).fetch()

        with pytest.raises(OriginAway, match="cannot be read"):
            fetch()
        monkeypatch.setenv(access.VARIABLE, "another token of the tests")
        with pytest.raises(OriginAway) as refused:
            fetch()
        monkeypatch.setenv(access.VARIABLE, f"{TOKEN}\n")
        assert fetch() == git(root, "rev-parse", "HEAD")
    assert "another token" not in str(refused.value)
    # It is in no file of the clone.
    assert TOKEN not in (tmp_path / "clone/.git/config").read_text("utf-8")


def test_the_token_is_for_the_host_of_the_repository(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(access.VARIABLE, TOKEN)
    variables = access.credentials("https://me:old@example.org:8443/owner/name")
    assert variables["GIT_CONFIG_KEY_0"] == "http.https://example.org:8443/.extraHeader"
    for address in ("/srv/git/name.git", "git@example.org:a/b", "ssh://example.org/a"):
        assert access.credentials(address) == {}


def test_the_token_is_never_sent_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(access.VARIABLE, TOKEN)
    with pytest.raises(UsageError, match="is sent by https:// only") as raised:
        access.credentials("http://example.org/owner/name")
    assert TOKEN not in str(raised.value)
