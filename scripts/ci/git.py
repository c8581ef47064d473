"""Git for the programs that the workflows call: standard library only."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# A caller's environment may point Git at another repository (a hook's or an alias's does), or hold
# settings of its own: of all that begins with GIT_, only what says how to reach a remote stays.
KEPT = {"GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO", "GIT_CONFIG_GLOBAL"}
KEPT |= {"GIT_CONFIG_NOSYSTEM"}


class GitFailed(Exception):
    """A Git command failed; `output` is what it wrote to standard error."""

    def __init__(self, command: str, output: str) -> None:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
        super().__init__(f"git {command} failed: {(telling or lines or ['it gave no reason'])[0]}")
        self.output = output


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a Git command: untranslated, asking nothing, as `more` says."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in KEPT}
    return own | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"} | dict(more or {})


def git(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> str:
    """Run Git in a folder and return what it prints, without the final newline.

    Args:
        more: variables of the environment for this command alone.

    Raises:
        GitFailed: it ended with another status than 0.
    """
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=environment(more),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise GitFailed(next(a for a in arguments if not a.startswith("-")), done.stderr)
    return done.stdout.rstrip("\n")
