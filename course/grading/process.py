"""Programs of a copy, in a process of their own with bounded time, memory and output.

They see none of this process's variables but those that a program needs to start, and
have a home of their own.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECONDS = 300
# ONNX Runtime and OpenBLAS reserve addresses that they never use.
MEMORY_BYTES = 12 * 1024**3
FILE_BYTES = 512 * 1024**2
OUTPUT_BYTES = 200_000
_KEPT = {"PATH", "SYSTEMROOT", "COMSPEC", "PATHEXT", "WINDIR", "LANG", "LC_ALL", "TZ"}
_KEPT |= {"TMPDIR", "TEMP", "TMP"}
# Without compiled packages the start of a training takes several times as long.
_KEPT |= {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"}


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Attributes:
        status: its exit status; None if its time was over.
        output: the end of what it wrote to standard output and error.
    """

    status: int | None
    output: str

    @property
    def succeeded(self) -> bool:
        """Whether it ended with status 0."""
        return self.status == 0

    @property
    def reason(self) -> str:
        """Its error in a line: the first that begins with `error:`, else the last."""
        if self.status is None:
            return "it did not end in time"
        stripped = [line.strip() for line in self.output.splitlines()]
        lines = [line for line in stripped if line]
        for line in lines:
            if line.startswith("error: "):
                return line.removeprefix("error: ")
        if lines:
            return lines[-1]
        return f"it ended with status {self.status}"


def python(*arguments: str) -> list[str]:
    """Return the command that runs Python with arguments."""
    return [sys.executable, *arguments]


class Running:
    """A program that runs, such as a server."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: int) -> None:
        self._process = process
        self._output = output

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    def outcome(self) -> Outcome:
        """Return how it ended, or what it has written so far."""
        return Outcome(self._process.poll(), _end_of(self._output))

    def wait(self, seconds: float) -> Outcome:
        """Wait until it ends, or until time is over."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass  # the status of the outcome says so
        return self.outcome()

    def interrupt(self, seconds: float = 10) -> None:
        """Ask it to end, so that it stops what it has started in other sessions."""
        if os.name != "nt":  # there `stop` ends all of them
            self._process.send_signal(signal.SIGINT)
            self.wait(seconds)


def run(
    command: Sequence[str],
    folder: Path,
    seconds: float = SECONDS,
    variables: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a program to its end, and stop it with all that it started when time is over.

    Args:
        command: the program with its arguments.
        folder: where it runs.
        seconds: the time that it has.
        variables: additional variables for it.
    """
    with running(command, folder, variables) as program:
        return program.wait(seconds)


@contextmanager
def running(
    command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a program during the block; at its end all that it started is stopped."""
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryDirectory(
            prefix="course-home-", ignore_cleanup_errors=True
        ) as home,
    ):
        process = subprocess.Popen(
            _bounded(command),
            cwd=folder,
            env=environment(home) | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield Running(process, output.fileno())
        finally:
            stop(process)


def _bounded(command: Sequence[str]) -> list[str]:
    """Return the command below a program that sets its limits, where there are any."""
    if os.name == "nt":
        return list(command)
    limits = [str(MEMORY_BYTES), str(FILE_BYTES)]
    helper = Path(__file__).with_name("limits.py")
    return python("-I", str(helper), *limits, *command)


def environment(home: str) -> dict[str, str]:
    """Return the variables of a program: no secrets, no settings, its own home."""
    kept = {}
    for name, value in os.environ.items():
        if name.upper() in _KEPT:
            kept[name] = value
    return kept | settings(home)


def settings(home: str) -> dict[str, str]:
    """Return the variables that a program gets wherever it runs."""
    return {
        "HOME": home,
        "USERPROFILE": home,
        "MPLCONFIGDIR": home,
        "PYTHONUTF8": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "ORT_DISABLE_TELEMETRY": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop a program and all that it started."""
    if os.name == "nt":
        kill = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        if process.poll() is None:
            subprocess.run(kill, capture_output=True, check=False)
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # all of its group have ended
    process.wait()


def _end_of(output: int) -> str:
    """Return the last bytes of a file as text."""
    size = os.lseek(output, 0, os.SEEK_END)
    start = max(0, size - OUTPUT_BYTES)
    os.lseek(output, start, os.SEEK_SET)
    content = b""
    while part := os.read(output, OUTPUT_BYTES):
        content += part
    text = content.decode("utf-8", errors="replace")
    return text.replace("\r\n", "\n")
