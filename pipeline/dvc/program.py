"""DVC as a program: its packages need an environment of their own."""

import shutil
import subprocess
import sys
from pathlib import Path

from core import git
from core.errors import PipelineError
from core.redact import redact

ERROR_PREFIX = "ERROR: "


class DvcError(PipelineError):
    """A command of DVC failed; `reason` is what it says about that, without a period."""

    def __init__(self, command: str, output: str) -> None:
        self.output = redact(output)
        self.reason = _reason(self.output)
        super().__init__(f"dvc {command} failed: {self.reason}.")


def path() -> str | None:
    """Return the program, which may be beside Python or in the PATH; None without it."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("dvc", path=beside) or shutil.which("dvc")


def absent(why: str) -> str:
    """Return the sentence for a machine without DVC, after what needs it."""
    return (
        f"{why}, and the program dvc is not installed: install requirements/dvc.txt in"
        " an environment of its own, and put its programs on the PATH."
    )


def run(program: str, root: Path, *arguments: str) -> None:
    """Run a command of DVC at the root of a checkout.

    Raises:
        DvcError: it fails.
    """
    done = subprocess.run(
        [program, *arguments],
        cwd=root,
        env=git.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        raise DvcError(" ".join(arguments), done.stderr)


def _reason(output: str) -> str:
    """Return the first error that DVC prints."""
    for line in output.splitlines():
        if line.startswith(ERROR_PREFIX):
            return line.removeprefix(ERROR_PREFIX).strip().rstrip(".:")
    return " ".join(output.split()).rstrip(".") or "it does not say why"
