"""Jobs: one at a time, each in a process of its own that gives way to every prediction."""

import importlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel

from pipeline.errors import PipelineError
from pipeline.files import to_json, write_atomic
from pipeline.publishing.record import now
from pipeline.repo import Repo

MOST_KEPT = 100
STOPPED = "the trainer was stopped before the job had ended: send it again."
WORK = "work"  # in the state folder: room for the running job alone, emptied after it
Json = dict[str, Any]


class Job(BaseModel):
    """The content of `jobs/<id>.json`; times in milliseconds since the epoch, UTC."""

    id: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed"] = "queued"
    created: int
    started: int | None = None
    ended: int | None = None
    result: Json | None = None
    error: str | None = None


class Queue:
    """The jobs of a state folder, and the thread that sees to one after the other."""

    def __init__(self, repo: Repo, state: Path) -> None:
        """Start; what an earlier service left unfinished has failed."""
        self._repo, self._state = repo, state
        self._waiting: SimpleQueue[tuple[Job, Json]] = SimpleQueue()
        self._lock, self._stopping = threading.Lock(), False
        self._process: SpawnProcess | None = None
        for job in self._jobs():
            if job.ended is None:
                _write(state, job, status="failed", ended=now(), error=STOPPED)
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, kind: str, request: Json) -> Job:
        """Put a job at the queue's end; of those that have ended, the oldest are forgotten."""
        for old in [job for job in self._jobs() if job.ended][: 1 - MOST_KEPT]:
            _path(self._state, old.id).unlink()
        job = _write(self._state, Job(id=uuid4().hex, kind=kind, created=now()))
        self._waiting.put((job, request))
        return job

    def get(self, job_id: str) -> Job | None:
        """Return a job; None if there is none, or no longer."""
        path = _path(self._state, job_id)
        known = job_id.isalnum() and path.is_file()
        return Job.model_validate_json(path.read_bytes()) if known else None

    def stop(self) -> None:
        """Kill the running job's process and those that it started; the next start says so."""
        with self._lock:
            self._stopping = True
            if self._process and self._process.pid:
                self._process.kill()
                if sys.platform != "win32":
                    with suppress(ProcessLookupError):
                        os.killpg(self._process.pid, signal.SIGKILL)

    def _jobs(self) -> list[Job]:
        found = [self.get(path.stem) for path in (self._state / "jobs").glob("*.json")]
        return sorted((job for job in found if job), key=lambda job: job.created)

    def _work(self) -> None:
        while True:
            shutil.rmtree(self._state / WORK, ignore_errors=True)
            job, request = self._waiting.get()
            with self._lock:
                if self._stopping:
                    return
                job = _write(self._state, job, status="running", started=now())
                given = (self._repo, self._state, job, request)
                process = multiprocessing.get_context("spawn").Process(target=_run, args=given)
                self._process = process
                process.start()
            process.join()
            with self._lock:
                self._process = None
                if process.exitcode and not self._stopping:
                    error = f"the job's process ended with status {process.exitcode}."
                    _write(self._state, job, status="failed", ended=now(), error=error)


def _path(state: Path, job_id: str) -> Path:
    return state / "jobs" / f"{job_id}.json"


def _write(state: Path, job: Job, **update: object) -> Job:
    job = job.model_copy(update=update)
    write_atomic(_path(state, job.id), to_json(job.model_dump()))
    return job


def _run(repo: Repo, state: Path, job: Job, request: Json) -> None:
    """Run a job in its process; its kind is the name of the module with its `run`."""
    if sys.platform != "win32":
        os.setsid()
        os.nice(19)
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    # A server that is not there is told of in seconds, not in minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    try:
        found = importlib.import_module(f"pipeline.trainer.{job.kind}").run(repo, state, **request)
        _write(state, job, status="succeeded", ended=now(), result=found)
    except Exception as error:
        told = str(error)
        if not isinstance(error, PipelineError):
            logging.exception("the job %s failed", job.id)
            told = f"{type(error).__name__}: {told.splitlines()[:1]}; see the trainer's log."
        _write(state, job, status="failed", ended=now(), error=told)


def _end_with_the_service() -> None:
    if service := multiprocessing.parent_process():
        service.join()
        os._exit(1)
