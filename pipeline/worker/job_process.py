"""The process of one job: it gives way to all others, and is started before there is a
job for it.

Most of a short job would be the import of libraries, so they are imported ahead. Of our
own modules none is, so that a job runs the code that lies in the checkout when it is
sent.
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
from typing import Any

from core import output

LIBRARIES = (
    *(
        "joblib",
        "matplotlib.figure",
        "mlflow.tracking",
        "numpy",
        "onnxruntime",
        "pandas",
    ),
    *("pydantic", "scipy.stats", "skl2onnx", "sklearn.ensemble", "threadpoolctl"),
)
CHUNK_BYTES = 1 << 16
IDLE_PRIORITY_CLASS = 0x40  # of Windows
# A few seconds and not minutes; and one core for the fits, of which joblib would take
# all.
VARIABLES = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "LOKY_MAX_CPU_COUNT": "1"}


class Worker:
    """A process that waits for a job, as the trainer sees it."""

    def __init__(self) -> None:
        found = os.pathsep.join(filter(None, sys.path))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.worker.job_process"],
            env=VARIABLES | os.environ | {"PYTHONPATH": found},
            stdin=subprocess.PIPE,
        )

    def has_ended(self) -> bool:
        """Tell whether the process has ended, although there was no job."""
        return self._process.poll() is not None

    def run(self, question: dict[str, Any]) -> int:
        """Let the process do a job; return its exit status once it has ended."""
        stdin = self._process.stdin
        assert stdin
        with contextlib.suppress(OSError):  # it has ended: the status says how
            stdin.write(json.dumps(question).encode() + b"\n")
            stdin.flush()
        status = self._process.wait()
        with contextlib.suppress(OSError):
            stdin.close()
        return status


def main() -> int:
    """Get ready, wait for the job, do it."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the service, which ends this
    give_way()
    questions: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=[questions], daemon=True).start()
    for name in LIBRARIES:
        if questions.empty():  # else the job imports what it needs
            importlib.import_module(name)
    question = json.loads(questions.get())
    importlib.import_module("pipeline.worker.jobs").run(**question)
    return 0


def give_way() -> None:
    """Let every other process go first; before anything is imported, which keeps a core
    busy.
    """
    if sys.platform == "win32":
        import ctypes

        this = ctypes.c_void_p(-1)
        ctypes.windll.kernel32.SetPriorityClass(this, IDLE_PRIORITY_CLASS)
        return
    os.nice(19)


def _read(questions: "queue.SimpleQueue[bytes]") -> None:
    """Pass the line of the job on; end with the service, when its end of the pipe is
    closed.
    """
    content = bytearray()
    while chunk := os.read(0, CHUNK_BYTES):
        content += chunk
        if chunk.endswith(b"\n"):
            questions.put(bytes(content))
    os._exit(1)


if __name__ == "__main__":
    output.prepare()
    sys.exit(main())
