"""Git as a program, run on the named folder and independent of the caller's settings.

The caller may be Git itself: a hook or an alias sets GIT_DIR, GIT_INDEX_FILE and more,
which would redirect every call to another repository. Every call of Git in this project
goes through this module, which needs the standard library alone.
"""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from core.errors import PipelineError
from core.redact import redact

# Variables for the user's identity, the way to a server, and the place of the user's
# settings. All others of Git are removed, also those of future versions.
_KEPT = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_ASKPASS",
    "GIT_SSH",
    "GIT_SSL_",
    "GIT_HTTP_",
    "GIT_PROXY_",
    "GIT_ALLOW_PROTOCOL",
    "GIT_PROTOCOL_FROM_USER",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_EXEC_PATH",
)
# Settings of the user that would change what a call does: hooks, ignore files,
# attributes (which start filters such as Git LFS), submodules, a file watcher, the
# encoding of what Git prints.
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.excludesFile": "",
    "core.attributesFile": "",
    "core.fsmonitor": "false",
    "core.longpaths": "true",
    "submodule.recurse": "false",
    "status.showUntrackedFiles": "all",
    "log.showSignature": "false",
    "i18n.commitEncoding": "UTF-8",
    "i18n.logOutputEncoding": "UTF-8",
    "color.ui": "false",
}
_OPTIONS = tuple(
    part for key, value in _SETTINGS.items() for part in ("-c", f"{key}={value}")
)
# Another Git process may hold a lock file for a moment: how long to wait, in seconds.
_LOCK_WAITS = (0.1, 0.5, 2.0)


class GitError(PipelineError):
    """A Git command failed.

    Attributes:
        output: its standard error, without secrets.
    """

    def __init__(self, command: str, output: str) -> None:
        self.output = redact(output)
        lines = []
        for line in self.output.splitlines():
            lines.append(line.strip().removeprefix("hint:").strip())
        reason = " ".join(filter(None, lines)) or "no reason"
        super().__init__(f"git {command} failed: {reason}")


def environment() -> dict[str, str]:
    """Return this process's variables without those that would lead Git elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper().startswith(_KEPT)
    }
    # Not translated, since some messages are matched; and without questions.
    return kept | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ATTR_NOSYSTEM": "1"}


def git(
    folder: Path,
    *arguments: str,
    stdin: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run Git in a folder and return what it prints as text, without the final newline.

    Args:
        arguments: the command with its arguments, after options such as `-c key=value`
            if any.
        variables: additional variables for this call, such as a GIT_INDEX_FILE of its
            own.

    Raises:
        GitError: it ended with another status than 0.
        PipelineError: Git is not installed.
    """
    content = None if stdin is None else stdin.encode()
    output = git_bytes(folder, *arguments, stdin=content, variables=variables)
    text = output.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n").rstrip("\n")


def git_bytes(
    folder: Path,
    *arguments: str,
    stdin: bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """Run Git in a folder and return the bytes that it prints; see `git`."""
    for seconds in (*_LOCK_WAITS, None):
        done = _run(folder, arguments, stdin, variables)
        if not done.returncode:
            return done.stdout
        errors = done.stderr.decode("utf-8", errors="replace")
        if seconds is None or not _is_locked(errors):
            break
        time.sleep(seconds)
    raise GitError(_command(arguments), errors)


def succeeds(folder: Path, *arguments: str) -> bool:
    """Return whether a Git command ends with status 0."""
    try:
        git(folder, *arguments)
    except GitError:
        return False
    return True


def is_ancestor(folder: Path, commit: str, of: str) -> bool:
    """Return whether a commit is an ancestor of another, or the same one.

    An unknown commit is not. A shallow clone knows only a part of the ancestors.
    """
    return succeeds(folder, "merge-base", "--is-ancestor", commit, of)


def is_shallow(folder: Path) -> bool:
    """Return whether a clone holds only the newest commits of its branches."""
    return git(folder, "rev-parse", "--is-shallow-repository") == "true"


def _run(
    folder: Path,
    arguments: tuple[str, ...],
    stdin: bytes | None,
    variables: Mapping[str, str] | None,
) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["git", *_OPTIONS, *arguments],
            cwd=folder,
            env=environment() | dict(variables or {}),
            input=stdin or b"",
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise
        raise PipelineError(
            "Git is not installed, or not on the PATH: install it first."
        ) from error


def _command(arguments: tuple[str, ...]) -> str:
    """Return the name of the command, after Git's own options."""
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-c", "-C"):
            next(rest)
        elif not argument.startswith("-"):
            return argument
    return " ".join(arguments)


def _is_locked(errors: str) -> bool:
    return ".lock': File exists" in errors
