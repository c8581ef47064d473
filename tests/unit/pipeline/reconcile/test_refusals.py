"""Releases that are refused before they reach the API, in real repositories."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.file_names import RELEASE
from core.files import write_atomic
from core.git import git, succeeds
from pipeline.reconcile.reconciler import Outcome, Pass
from pipeline.reconcile.settings import Settings
from tests.conftest import commit_all, posix
from tests.support.released_models import (
    commit_model,
    release_of,
    repository,
    write_release,
)
from tests.support.signing_keys import needs_ssh_keygen, signing_key

# Takes every signature for that of a key that it knows.
GPG = """\
#!/bin/sh
cat >/dev/null
printf '\\n[GNUPG:] GOODSIG 0123456789ABCDEF P\\n[GNUPG:] TRUST_FULLY\\n'
"""
PGP_SIGNATURE = (
    "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abcd\n -----END PGP SIGNATURE-----\n"
)
# Nothing listens there: none of these releases may get as far as the API.
NO_API = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Followed:
    """A repository, and the folder that is to follow it."""

    folder: Path
    root: Path

    def reconcile(self, signers: Path | None = None) -> Pass:
        """Make the first pass of a new process."""
        settings = Settings(
            address=str(self.root),
            branch=None,
            models=self.folder / "served",
            api=NO_API,
            wait_seconds=1,
            signers=signers,
        )
        return settings.reconciler(self.folder / "state").run()

    def declare(self, commit: str) -> str:
        """Commit the release of a commit; return the commit that declares it."""
        write_release(self.root, commit)
        return commit_all(self.root, "chore(release): iris")

    def check_untouched(self) -> None:
        """Check that nothing was written into the served folder."""
        assert list((self.folder / "served").iterdir()) == []


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    (tmp_path / "served").mkdir()
    return Followed(tmp_path, repository(tmp_path / "repo"))


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")


def test_without_a_release_nothing_happens(followed: Followed) -> None:
    result = followed.reconcile()
    assert result.outcome is Outcome.NOTHING_DECLARED
    assert result.is_in_sync
    followed.check_untouched()


def test_a_repository_that_is_away_changes_nothing(followed: Followed) -> None:
    followed.declare(head(followed.root))
    followed.root.rename(followed.folder / "away")
    result = followed.reconcile()
    assert result.outcome is Outcome.ORIGIN_AWAY
    assert "what is served stays as it is" in result.text
    assert not result.fetched
    followed.check_untouched()


def edit_digest(root: Path, text: str) -> str:
    return text.replace('"version": 1', '"version": 2')


def add_key(root: Path, text: str) -> str:
    return text.replace('"format": 1', '"format": 1,\n "replicas": 2')


def cut(root: Path, text: str) -> str:
    return text[: len(text) // 2]


def other_branch(root: Path, text: str) -> str:
    """Name a commit that the branch does not contain."""
    git(root, "switch", "--quiet", "--create", "other")
    other = commit_model(root, "iris", 7)
    git(root, "switch", "--quiet", "main")
    return release_of(root, other)


def unknown_commit(root: Path, text: str) -> str:
    return text.replace(head(root), "f" * 40)


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (edit_digest, "the model of iris is not the one that commit"),
        (add_key, "replicas: Extra inputs are not permitted"),
        (cut, f"{RELEASE}: file: Invalid JSON"),
        (other_branch, "which is not on the branch"),
        (unknown_commit, "which is not on the branch"),
    ],
)
def test_a_tampered_release_is_refused_with_one_sentence(
    followed: Followed, tamper: Callable[[Path, str], str], sentence: str
) -> None:
    text = release_of(followed.root, head(followed.root))
    write_atomic(followed.root / RELEASE, tamper(followed.root, text))
    commit_all(followed.root, "chore: tampered")
    result = followed.reconcile()
    assert result.outcome is Outcome.REFUSED
    assert sentence in result.text
    assert result.text.endswith(".")
    assert "\n" not in result.text
    followed.check_untouched()


def test_a_damaged_history_is_refused(followed: Followed) -> None:
    followed.declare(head(followed.root))
    result = followed.reconcile()
    assert result.outcome is Outcome.REFUSED
    assert "the history at the released commit" in result.text
    assert "is in service without a promotion" in result.text
    followed.check_untouched()


def test_a_release_that_was_deleted_is_refused(followed: Followed) -> None:
    declared = followed.declare(head(followed.root))
    (followed.root / RELEASE).unlink()
    deleted = commit_all(followed.root, "chore: no release")
    assert deleted != declared
    result = followed.reconcile()
    assert result.outcome is Outcome.REFUSED
    assert f"`git revert {deleted[:12]}` brings it back" in result.text


@posix
@needs_ssh_keygen
def test_a_release_must_be_signed_where_signers_are_named(followed: Followed) -> None:
    ours = signing_key(followed.folder, "ours")
    theirs = signing_key(followed.folder, "theirs")
    signers = ours.with_suffix(".signers")
    unsigned = followed.declare(head(followed.root))
    result = followed.reconcile(signers)
    assert result.outcome is Outcome.REFUSED
    assert f"commit {unsigned[:12]}" in result.text
    assert "is not signed by a key in" in result.text

    for key, refusal in ((theirs, "is not signed"), (ours, "the history")):
        settings = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
        person = ("-c", "user.name=P", "-c", "user.email=p@example.org")
        amend = ("commit", "--quiet", "--amend", "--no-edit", "-S")
        git(followed.root, *settings, *person, *amend)
        assert refusal in followed.reconcile(signers).text


@posix
def test_a_signature_of_another_kind_does_not_count(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = followed.folder / "bin"
    programs.mkdir()
    (programs / "gpg").write_text(GPG)
    (programs / "gpg").chmod(0o755)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{path}")
    declared = followed.declare(head(followed.root))
    content = git(followed.root, "cat-file", "commit", declared)
    fields, _, message = content.partition("\n\n")
    signed = f"{fields}\n{PGP_SIGNATURE}\n{message}\n"
    store = ("hash-object", "-t", "commit", "-w", "--stdin")
    commit = git(followed.root, *store, stdin=signed)
    git(followed.root, "update-ref", "refs/heads/main", commit)
    assert succeeds(followed.root, "verify-commit", commit)
    signers = followed.folder / "signers"
    signers.write_text("")
    result = followed.reconcile(signers)
    assert result.outcome is Outcome.REFUSED
    assert f"commit {commit[:12]}" in result.text
    assert "is not signed by a key in" in result.text
