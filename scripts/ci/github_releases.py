"""Releases of the repository on GitHub, by GitHub's program `gh`."""

import json
import subprocess
from pathlib import Path
from typing import Any

from core.errors import PipelineError

NOT_FOUND = "release not found"


def find(repository: str, tag: str) -> dict[str, Any] | None:
    """Return a release with its files, None if there is none.

    The key `isDraft` says that it was never completed.

    Raises:
        PipelineError: gh is missing, or GitHub refuses or does not answer.
    """
    done = _gh("release", "view", tag, "--repo", repository, "--json", "isDraft,assets")
    if done.returncode == 0:
        release: dict[str, Any] = json.loads(done.stdout)
        return release
    if NOT_FOUND in done.stderr:
        return None
    raise _failure(f"the release {tag} cannot be looked up", done)


def delete(repository: str, tag: str) -> None:
    """Delete a release, but not its tag.

    Raises:
        PipelineError: GitHub refuses or does not answer.
    """
    done = _gh("release", "delete", tag, "--repo", repository, "--yes")
    if done.returncode:
        raise _failure(f"the incomplete release {tag} cannot be deleted", done)


def create(
    repository: str,
    tag: str,
    commit: str,
    title: str,
    notes: Path,
    files: list[Path],
) -> None:
    """Create a release with files, and its tag on a commit.

    gh completes it as a draft, and publishes it at the end. It does not become the
    repository's latest release, which may be one of the code.

    Args:
        notes: the file with its text, Markdown.

    Raises:
        PipelineError: GitHub refuses or does not answer.
    """
    names = [str(file) for file in files]
    done = _gh(
        "release",
        "create",
        tag,
        *names,
        "--repo",
        repository,
        "--target",
        commit,
        "--title",
        title,
        "--notes-file",
        str(notes),
        "--latest=false",
    )
    if done.returncode:
        raise _failure(f"the release {tag} cannot be created", done)


def _gh(*arguments: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            ["gh", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise PipelineError(
            "the program `gh` is not here: install GitHub's command line."
        ) from error


def _failure(what: str, done: "subprocess.CompletedProcess[str]") -> PipelineError:
    reason = " ".join(done.stderr.split()) or f"status {done.returncode}"
    return PipelineError(f"{what} ({reason}): run the failed jobs again.")
