"""Jobs: one at a time, each in a process of its own that gives way to every prediction."""

import asyncio
import importlib
import logging
import shutil
import threading
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated, Any, Literal
from uuid import uuid4

from opentelemetry.context import Context, get_current
from opentelemetry.trace import StatusCode
from pydantic import BaseModel, Field

from core import tracing
from core.errors import PipelineError, Unavailable
from core.files import to_json, write_atomic
from pipeline.publish.record import now
from pipeline.repo import Repo
from pipeline.worker.job_process import Worker

MOST_KEPT = 100
DAY_MS = 24 * 3600 * 1000  # a task is trained once in it, however often drift is told
TRACED = {
    "task",
    "tasks",
    "version",
    "run_id",
    "algorithm",
}  # of a request, in a job's span
WORK = "work"  # in the state folder: room for the running job alone, emptied after it
Json = dict[str, Any]
Name = Annotated[str, Field(pattern=r"^\w*$", max_length=100)]


class Request(BaseModel, extra="forbid"):
    """What a job is to do; the kind is the module that does it and says which fields it
    reads.
    """

    kind: Literal["load", "train", "retrain"]
    task: Name = ""
    version: int | None = None
    run_id: Name | None = None
    algorithm: Name = ""
    parameters: Json = {}
    data: list[Json] | list[list[Any]] | None = Field(None, min_length=1)
    target: list[Any] | None = None
    tasks: list[Name] = []
    reason: str = ""
    drift: bool = False  # what asks is an alert, which may come again and again


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
    refused: bool = False  # it has failed because of what was asked for
    drifted: list[str] = []  # the tasks of a retrain for drift, unless it has failed

    def write(self, state: Path, **update: object) -> "Job":
        """Write the job's file with an update and return the job as it is now."""
        job = self.model_copy(update=update)
        write_atomic(state / "jobs" / f"{job.id}.json", to_json(job.model_dump()))
        return job

    def fail(self, state: Path, error: str, refused: bool = False) -> None:
        """Write that the job has failed, and why."""
        self.write(
            state,
            status="failed",
            ended=now(),
            error=error,
            refused=refused,
            drifted=[],
        )


class Queue:
    """The jobs of a state folder, and the thread that sees to one after the other."""

    def __init__(self, repo: Repo, state: Path, ahead: bool = False) -> None:
        """Start; what an earlier service left unfinished has failed.

        Args:
            ahead: whether a process is ready before there is a job, which saves it
                seconds.
        """
        self._repo, self._state, self._ahead = repo, state, ahead
        self._waiting: SimpleQueue[tuple[Job, Request, Context]] = SimpleQueue()
        self._unended: dict[str, Future[None]] = {}
        for job in self.jobs():
            if job.ended is None:
                job.fail(
                    state,
                    "the trainer was stopped before the job had ended: send it again.",
                )
        threading.Thread(target=self._work, daemon=True).start()

    def jobs(self) -> list[Job]:
        """Return all jobs that are kept, oldest first."""
        kept = (path.read_bytes() for path in (self._state / "jobs").glob("*.json"))
        return sorted(map(Job.model_validate_json, kept), key=lambda job: job.created)

    def submit(self, request: Request) -> Job:
        """Put a job at the queue's end; of those that have ended, the oldest are
        forgotten.

        For drift, the tasks of such jobs that wait, run or ended within a day are left
        out: if none remains, nothing is done, and the newest of these jobs is returned.
        """
        if request.drift and request.tasks:
            done = [
                job
                for job in self.jobs()
                if not job.ended or now() - job.ended < DAY_MS
            ]
            left = set(request.tasks).difference(*(job.drifted for job in done))
            if not left:
                return [job for job in done if job.drifted][-1]
            request.tasks = sorted(left)
        for old in [job for job in self.jobs() if job.ended][: 1 - MOST_KEPT]:
            (self._state / "jobs" / f"{old.id}.json").unlink()
        job = Job(id=uuid4().hex, kind=request.kind, created=now())
        job = job.write(self._state, drifted=request.tasks if request.drift else [])
        self._unended[job.id] = Future()
        self._waiting.put((job, request, get_current()))
        return job

    async def wait(self, job_id: str, seconds: float) -> None:
        """Wait until a job has ended, at most so many seconds; no thread waits with it."""
        if seconds and (unended := self._unended.get(job_id)):
            await asyncio.wait([asyncio.wrap_future(unended)], timeout=seconds)

    def _work(self) -> None:
        self._clear()
        worker = Worker() if self._ahead else None
        while True:
            job, request, context = self._waiting.get()
            job = job.write(self._state, status="running", started=now())
            about = request.model_dump(include=TRACED, exclude_defaults=True)
            # The span is made here and not in the process, which may be ended by a
            # signal.
            with tracing.span(
                f"job {job.kind}", about, len(request.data or ()), context
            ) as span:
                if worker is None or worker.has_ended():
                    worker = Worker()
                if status := worker.run(self._question(job, request)):
                    job.fail(
                        self._state, f"its process ended ({status}): send it again."
                    )
                self._clear()
                kept = (self._state / "jobs" / f"{job.id}.json").read_bytes()
                if error := Job.model_validate_json(kept).error:
                    span.set_status(StatusCode.ERROR, error)
            self._unended.pop(job.id).set_result(None)
            worker = Worker() if self._ahead else None

    def _clear(self) -> None:
        shutil.rmtree(self._state / WORK, ignore_errors=True)

    def _question(self, job: Job, request: Request) -> Json:
        """Return the arguments of `run`, for the job's process."""
        place = {"root": str(self._repo.root), "state": str(self._state)}
        about = {"job": job.model_dump(), "request": request.model_dump()}
        return place | about | {"trace": tracing.headers()}


def run(root: str, state: str, job: Json, request: Json, trace: dict[str, str]) -> None:
    """Run a job in its process, as a part of a trace, and write how it ended."""
    _run(Repo(Path(root)), Path(state), Job(**job), Request(**request), trace)


def _run(
    repo: Repo, state: Path, job: Job, request: Request, trace: dict[str, str]
) -> None:
    try:
        with tracing.exporting("mlops-trainer", trace):
            work = importlib.import_module(f"pipeline.worker.{job.kind}")
            found = work.run(repo, state, request)
        job.write(state, status="succeeded", ended=now(), result=found)
    except PipelineError as error:
        job.fail(state, str(error), refused=not isinstance(error, Unavailable))
    except Exception as error:
        logging.exception("the job %s failed", job.id)
        job.fail(state, f"{type(error).__name__}: {' '.join(str(error).split())}")
