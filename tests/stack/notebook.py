"""A notebook that logs one run after the other to MLflow until it is stopped."""

import threading
from pathlib import Path
from typing import ClassVar

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.stack.engine import eventually

EXPERIMENT = "a notebook"


class Notebook:
    """Its runs; those of which every request was answered are the logged ones.

    Attributes:
        logged: the content of the file of each run, by the run's ID.
        failures: the number of runs that a request has failed for.
    """

    FILE: ClassVar[str] = "plots/note ä.txt"
    METRICS: ClassVar[dict[str, float]] = {"loss": 0.5}

    def __init__(self, client: MlflowClient, folder: Path) -> None:
        self.logged: dict[str, bytes] = {}
        self.failures = 0
        self._client = client
        self._folder = folder
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._log)
        self._patched = pytest.MonkeyPatch()

    def __enter__(self) -> "Notebook":
        # A request that fails is a run that failed, and not an hour of attempts.
        self._patched.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        self._patched.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        self._experiment = self._client.create_experiment(EXPERIMENT)
        self._folder.mkdir()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._patched.undo()

    def await_more(self, count: int) -> None:
        """Wait until so many more runs are logged."""
        target = len(self.logged) + count
        eventually(lambda: len(self.logged) >= target, 300, "the notebook logs runs")

    def _log(self) -> None:
        number = 0
        while not self._stopped.is_set():
            number += 1
            content = f"run {number}\n".encode() * number
            try:
                run_id = self._log_run(content)
            except (MlflowException, OSError):
                self.failures += 1
                self._stopped.wait(0.5)
            else:
                self.logged[run_id] = content

    def _log_run(self, content: bytes) -> str:
        file = self._folder / Path(self.FILE).name
        file.write_bytes(content)
        run_id: str = self._client.create_run(self._experiment).info.run_id
        for key, value in self.METRICS.items():
            self._client.log_metric(run_id, key, value)
        self._client.log_artifact(run_id, str(file), "plots")
        self._client.set_terminated(run_id)
        return run_id
