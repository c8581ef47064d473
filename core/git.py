"""Git, called as the program that the user has, on the folder named and on nothing
else.

Whoever starts us may be Git itself: a hook or an alias sets GIT_DIR, GIT_INDEX_FILE and
more, which would turn every call of ours to another repository. Every call of Git in
this project goes through this module, which uses the standard library alone.
"""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from core.errors import PipelineError
from core.redact import redact

# Variables that say who the user is, how to reach a server, and where the user's
# settings lie. All others that Git knows are taken away, those of a future version
# included.
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
    """A Git command failed; `output` is what it said on standard error, without
    secrets.
    """

    def __init__(self, command: str, output: str) -> None:
        self.output = redact(output)
        lines = [
            line.strip().removeprefix("hint:").strip()
            for line in self.output.splitlines()
        ]
        super().__init__(
            f"git {command} failed: {' '.join(filter(None, lines)) or 'no reason'}"
        )


def environment() -> dict[str, str]:
    """Return this process's variables without those that would lead Git elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("GIT_") or name.upper().startswith(_KEPT)
    }
    # Git's words are matched in a few places: not translated. It must not ask
    # questions.
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
    said = git_bytes(folder, *arguments, stdin=content, variables=variables)
    return said.decode("utf-8", errors="replace").replace("\r\n", "\n").rstrip("\n")


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
        said = done.stderr.decode("utf-8", errors="replace")
        if seconds is None or not _is_locked(said):
            break
        time.sleep(seconds)
    raise GitError(_command(arguments), said)


def succeeds(folder: Path, *arguments: str) -> bool:
    """Tell whether a Git command ends with status 0."""
    try:
        git(folder, *arguments)
    except GitError:
        return False
    return True


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


def _is_locked(said: str) -> bool:
    return ".lock': File exists" in said
