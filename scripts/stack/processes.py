"""The services' processes: started out of reach of Ctrl-C, ended with time to drain."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.stack import windows
from scripts.stack.settings import ROOT

GRACE_SECONDS = 30


class Service:
    """A service that was started, with the processes that it starts itself."""

    def __init__(
        self, command: list[str], variables: Mapping[str, str], log: Path
    ) -> None:
        # Ctrl-C reaches only the supervisor, which then ends all services in order.
        apart: dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            apart = {"creationflags": windows.HIDDEN_CONSOLE}
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                **apart,
            )
        self._ending: subprocess.Popen[bytes] | None = None

    @property
    def number(self) -> int:
        """The process number."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Return whether the service has ended."""
        return self._process.poll() is not None

    def ask_to_end(self) -> None:
        """Ask it to finish its requests, write its files and end."""
        if os.name == "nt":
            self._ending = windows.ask_to_end(self.number, GRACE_SECONDS)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.number, signal.SIGTERM)

    def wait_for_end(self) -> None:
        """Wait until it has ended, and end its remaining processes by force."""
        if self._ending:
            self._ending.wait()
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.number, signal.SIGKILL)
        self._process.wait()


def is_alive(number: int) -> bool:
    """Return whether there is a process with a number."""
    if os.name == "posix":
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    tasklist = ["tasklist", "/FI", f"PID eq {number}"]
    listed = subprocess.run(tasklist, capture_output=True, check=False)
    return str(number).encode() in listed.stdout


def end_by_force(number: int) -> None:
    """End a process, and on Windows those that it has started."""
    if os.name == "posix":
        os.kill(number, signal.SIGKILL)
    else:
        kill = ["taskkill", "/T", "/F", "/PID", str(number)]
        subprocess.run(kill, capture_output=True, check=False)
