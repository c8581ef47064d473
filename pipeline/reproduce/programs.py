"""Runs the programs of a reproduction, without what the user has set for others."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from core import git

# What the user has set for the pipeline, MLflow, Python and the tracing of this process
# would change a training, or send its runs to a server.
_REMOVED = (
    "MLFLOW_",
    "MLOPS_",
    "OTEL_",
    "PYTHON",
    "TRACE",
    "VIRTUAL_ENV",
    "__PYVENV",
)
# Words that begin an error of ours, of pip and of Python.
_MARKS = ("error: ", "ERROR: ")


def run(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a program; return why it failed, or nothing if it did not.

    Args:
        command: the program with its arguments.
        folder: where it runs.
        variables: additional variables.
    """
    done = subprocess.run(
        list(command),
        cwd=folder,
        env=environment() | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if not done.returncode:
        return ""
    return _reason(done.stderr or done.stdout, done.returncode)


def environment() -> dict[str, str]:
    """Return this process's variables without those that would change a training."""
    kept = {}
    for name, value in git.environment().items():
        if not name.upper().startswith(_REMOVED):
            kept[name] = value
    # Output in UTF-8 on Windows too.
    return kept | {"PYTHONUTF8": "1"}


def _reason(output: str, status: int) -> str:
    """Return the first error that a program printed, or else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if line.startswith(_MARKS):
            _, _, reason = line.partition(" ")
            return reason.rstrip(".")
    if lines:
        return lines[-1].rstrip(".")
    return f"it ended with status {status}"
