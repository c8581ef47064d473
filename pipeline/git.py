"""Git, called as the program that the user has, with its own words in the errors."""

import os
import subprocess
from pathlib import Path

from pipeline.errors import PipelineError


class GitError(PipelineError):
    """A Git command failed; `output` is what it said on standard error."""

    def __init__(self, command: str, output: str) -> None:
        self.output = output
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
        super().__init__(f"git {command} failed: {(telling or lines or ['it gave no reason'])[0]}")


def git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run Git in a folder and return what it prints, without the final newline.

    Raises:
        GitError: it ended with another status than 0.
    """
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        # Its words are matched in a few places: not translated. It must not ask questions.
        env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise GitError(arguments[0], done.stderr)
    return done.stdout.rstrip("\n")


def succeeds(folder: Path, *arguments: str) -> bool:
    """Tell whether a Git command ends with status 0."""
    try:
        git(folder, *arguments)
    except GitError:
        return False
    return True
