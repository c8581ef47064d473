"""The check of an image's signature, with a program in place of GitHub's `gh`."""

import os
import shutil
from pathlib import Path

import pytest

from scripts.stack import attestation
from scripts.stack.settings import StackError
from tests.conftest import posix

ADDRESS = "ghcr.io/owner/name/mlops-api@sha256:" + "a" * 64
GH = """\
#!/bin/sh
echo "$*" >>"$0.txt"
case "$1" in
repo) echo {visibility} ;;
attestation) echo "no attestations found" >&2; exit {status} ;;
esac
"""

pytestmark = posix


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `gh` is looked for, before all other programs."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path / "gh"


def install(program: Path, status: int, visibility: str = "PUBLIC") -> None:
    """Install a program that answers like gh."""
    program.write_text(GH.format(status=status, visibility=visibility))
    program.chmod(0o755)


def asked(program: Path) -> list[str]:
    """Return the commands that the program was called with."""
    return program.with_name("gh.txt").read_text("utf-8").splitlines()


def test_a_signed_image_is_accepted(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(program, 0)
    attestation.require(ADDRESS)
    assert asked(program)[-1] == (
        f"attestation verify oci://{ADDRESS} --repo owner/name"
    )
    assert capsys.readouterr().out == ""


def test_an_image_that_nobody_signed_is_refused(program: Path) -> None:
    install(program, 1)
    sentence = "is not signed by a workflow of owner/name .no attestations found.: it"
    with pytest.raises(StackError, match=sentence):
        attestation.require(ADDRESS)


def test_images_of_private_repositories_and_other_registries_are_not_signed(
    program: Path,
) -> None:
    install(program, 1, "PRIVATE")
    attestation.require(ADDRESS)
    assert len(asked(program)) == 1
    attestation.require(ADDRESS.replace("ghcr.io", "registry.example.org"))
    assert len(asked(program)) == 1


def test_what_cannot_be_checked_is_said(
    program: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(program, attestation.NOT_LOGGED_IN)
    attestation.require(ADDRESS)
    assert "log in with `gh auth login` for that" in capsys.readouterr().out
    monkeypatch.setenv("PATH", str(program.parent / "nothing"))
    assert shutil.which("gh") is None
    attestation.require(ADDRESS)
    assert capsys.readouterr().out == (
        f"{ADDRESS}: who built it is not checked; install GitHub's program gh for"
        " that.\n"
    )
