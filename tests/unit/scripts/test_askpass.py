"""Publishing over HTTP with the workflow's token, to a Git server that requires it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import GitError, git
from pipeline.publish.loop import Change, land
from pipeline.repo import Repo
from scripts.ci.origin import Origin
from tests.conftest import Clone, posix
from tests.paths import ROOT
from tests.support.git_server import serve

pytestmark = posix
ASKPASS = ROOT / "scripts" / "askpass.sh"
TOKEN = "ghs_a-token-for-an-hour"
CREDENTIALS = base64.b64encode(f"x-access-token:{TOKEN}".encode())
BASIC = f"Basic {CREDENTIALS.decode()}"


@pytest.fixture
def remote(origin: Path) -> Iterator[str]:
    """Serve the origin over HTTP; yield its address."""
    with serve(origin.parent, authorization=BASIC) as server:
        yield f"http://{server.address}/{origin.name}"


def note(tip: Repo) -> Change:
    tip.results.mkdir()
    (tip.results / "note").write_text("landed")
    return Change("chore: note\n")


def test_the_token_in_the_environment_is_enough_and_stays_there(
    clone: Clone,
    origin: Path,
    remote: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repo = clone("mine")
    git(repo.root, "remote", "set-url", "origin", remote)
    with pytest.raises(PipelineError, match="cannot fetch from the remote origin"):
        land(repo, "origin", "main", note)
    monkeypatch.setenv("GIT_ASKPASS", str(ASKPASS))
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    commit, _ = land(repo, "origin", "main", note)
    assert git(origin, "rev-parse", "main") == commit
    files = [path for path in repo.root.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert TOKEN.encode() not in path.read_bytes(), path


def test_the_workflows_program_works_where_no_file_can_be_executed(
    clone: Clone,
    remote: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So it is in a copy from an archive that was unpacked on Windows.
    plain = tmp_path / "askpass.sh"
    plain.write_bytes(ASKPASS.read_bytes())
    monkeypatch.setattr("scripts.ci.origin.ASKPASS", plain)
    repo = clone("mine")
    folder = tmp_path / "keys"
    folder.mkdir()
    git(repo.root, "remote", "set-url", "origin", remote)
    monkeypatch.chdir(repo.root)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    tip = git(repo.root, "rev-parse", "HEAD")
    with_token = Origin.read(folder)
    listed = with_token.git(repo.root, "ls-remote", "refs/heads/main")
    assert listed.startswith(tip)
    monkeypatch.delenv("GITHUB_TOKEN")
    without_token = Origin.read(folder)
    with pytest.raises(GitError, match="could not read Username"):
        without_token.git(repo.root, "ls-remote")
