"""The process of one job: it gives way to all others, and starts before the job comes.

Importing libraries would take most of a short job, so they are imported ahead. None of
our own modules is, so that a job runs the code in the checkout at the time it is sent.
"""

import contextlib
import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from core import output

if sys.platform == "win32":
    import ctypes
    import msvcrt

LIBRARIES = (
    "joblib",
    "matplotlib.figure",
    "mlflow.tracking",
    "numpy",
    "onnxruntime",
    "pandas",
    "pydantic",
    "scipy.stats",
    "skl2onnx",
    "sklearn.ensemble",
    "threadpoolctl",
)
CHUNK_BYTES = 1 << 16
PAUSE_SECONDS = 0.05  # between two looks at standard input on Windows
IDLE_PRIORITY_CLASS = 0x40  # of Windows
LOWEST_PRIORITY = 19  # of Unix
# Without an answer of the MLflow server a job fails within seconds and not minutes, and
# fits use one core, where joblib would use all of them.
VARIABLES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "LOKY_MAX_CPU_COUNT": "1"}


class JobProcess:
    """The worker's handle of a process that waits for a job."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.worker.job_process"],
            env=VARIABLES | os.environ | {"PYTHONPATH": path},
            stdin=subprocess.PIPE,
        )

    def has_ended(self) -> bool:
        """Return whether the process has ended without having got a job."""
        return self._process.poll() is not None

    def run(self, arguments: dict[str, Any]) -> int:
        """Let the process do a job; return its exit status once it has ended.

        Args:
            arguments: those of `run_job.run`.
        """
        stdin = self._process.stdin
        assert stdin
        # If the process has ended already, its exit status says so.
        with contextlib.suppress(OSError):
            stdin.write(json.dumps(arguments).encode() + b"\n")
            stdin.flush()
        status = self._process.wait()
        with contextlib.suppress(OSError):
            stdin.close()
        return status


def main() -> int:
    """Import the libraries, wait for the job and do it."""
    # Ctrl-C is meant for the worker, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lower_priority()
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=[lines], daemon=True).start()
    for name in LIBRARIES:
        # A job that has arrived imports no more than it needs.
        if lines.empty():
            importlib.import_module(name)
    arguments = json.loads(lines.get())
    importlib.import_module("pipeline.worker.run_job").run(**arguments)
    return 0


def lower_priority() -> None:
    """Let every other process go first, before an import keeps a core busy."""
    if sys.platform == "win32":
        this = ctypes.c_void_p(-1)
        ctypes.windll.kernel32.SetPriorityClass(this, IDLE_PRIORITY_CLASS)
        return
    os.nice(LOWEST_PRIORITY)


def _read(lines: "queue.SimpleQueue[bytes]") -> None:
    """Put the line with the job into a queue.

    This process ends with the worker, whose end closes the pipe.
    """
    content = bytearray()
    while chunk := _read_chunk():
        content += chunk
        if chunk.endswith(b"\n"):
            lines.put(bytes(content))
    os._exit(1)


def _read_chunk() -> bytes:
    """Wait for input and return a part of it; at its end, return nothing."""
    if sys.platform == "win32":
        # While a thread waits in a read of standard input, another one that imports a
        # DLL waits for it, since the DLL asks for the type of that file.
        while _is_empty(0):
            time.sleep(PAUSE_SECONDS)
    return os.read(0, CHUNK_BYTES)


if sys.platform == "win32":

    def _is_empty(descriptor: int) -> bool:
        """Return whether a pipe has nothing to read, but is open."""
        count = ctypes.c_ulong(0)
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
        is_open = ctypes.windll.kernel32.PeekNamedPipe(
            handle, None, 0, None, ctypes.byref(count), None
        )
        return bool(is_open) and count.value == 0


if __name__ == "__main__":
    output.prepare()
    sys.exit(main())
