"""The queue of jobs: one at a time, each in a process that gives way to predictions."""

import asyncio
import shutil
import threading
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from opentelemetry.context import Context, get_current
from opentelemetry.trace import StatusCode

from core import tracing
from core.jobs import JobRecord, JobRequest
from pipeline.repo import Repo
from pipeline.worker.job_process import JobProcess
from pipeline.worker.job_store import JobStore, now

# A task is retrained once within it, however often an alert reports its drift.
DAY_MS = 24 * 3600 * 1000
# The fields of a request that a job's span has.
TRACED = {"task", "tasks", "version", "run_id", "algorithm"}
# In the state folder: space for the running job, emptied after it.
WORK = "work"
STOPPED = "the worker was stopped before the job had ended: send it again."


class QueuedJob(NamedTuple):
    """A job that waits, with its request and the trace that it belongs to."""

    job: JobRecord
    request: JobRequest
    context: Context


class JobQueue:
    """The jobs of a state folder, and the thread that runs one after the other."""

    def __init__(self, repo: Repo, state: Path, prepare: bool = False) -> None:
        """Start the thread; mark the jobs that an earlier worker left as failed.

        Args:
            repo: the checkout that jobs work on.
            state: the folder that the worker shares with the API.
            prepare: whether a process is started before there is a job for it, which
                saves the job some seconds.
        """
        self.store = JobStore(state)
        self._repo = repo
        self._state = state
        self._prepare = prepare
        self._waiting: SimpleQueue[QueuedJob] = SimpleQueue()
        self._unended: dict[str, Future[None]] = {}
        for job in self.store.all():
            if job.ended is None:
                self.store.fail(job, STOPPED)
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()

    def submit(self, request: JobRequest) -> JobRecord:
        """Append a job to the queue and return it.

        A request because of drift leaves out the tasks of such jobs that wait, run or
        ended within a day. If no task remains, the newest of these jobs is returned and
        none is added.
        """
        drifted: list[str] = []
        if request.drift and request.tasks:
            recent = self._drift_jobs()
            done: set[str] = set()
            for earlier in recent:
                done.update(earlier.drifted)
            drifted = sorted(set(request.tasks) - done)
            if not drifted:
                return recent[-1]
            request.tasks = drifted
        job = self.store.add(request.kind, drifted)
        queued = QueuedJob(job, request, get_current())
        self._unended[job.id] = Future()
        self._waiting.put(queued)
        return job

    async def wait(self, job_id: str, seconds: float) -> None:
        """Wait until a job has ended, or for so many seconds; it occupies no thread."""
        unended = self._unended.get(job_id)
        if seconds and unended:
            future = asyncio.wrap_future(unended)
            await asyncio.wait([future], timeout=seconds)

    def _drift_jobs(self) -> list[JobRecord]:
        """Return the retrains for drift that wait, run or ended within a day."""
        since = now() - DAY_MS
        recent = []
        for job in self.store.all():
            is_recent = not job.ended or job.ended > since
            if job.drifted and is_recent:
                recent.append(job)
        return recent

    def _work(self) -> None:
        """Run the jobs, forever; the target of the queue's thread."""
        self._clear()
        process = JobProcess() if self._prepare else None
        while True:
            queued = self._waiting.get()
            if process is None or process.has_ended():
                process = JobProcess()
            self._run(queued, process)
            future = self._unended.pop(queued.job.id)
            future.set_result(None)
            process = JobProcess() if self._prepare else None

    def _run(self, queued: QueuedJob, process: JobProcess) -> None:
        """Run a job in a process; it has failed if the process ends before it.

        The span is started here, since a signal may end the process at any time.
        """
        request = queued.request
        job = self.store.update(queued.job, status="running", started=now())
        name = f"job {job.kind}"
        attributes = request.model_dump(include=TRACED, exclude_defaults=True)
        rows = len(request.data or ())
        with tracing.span(name, attributes, rows, queued.context) as span:
            arguments = self._arguments(job, request)
            status = process.run(arguments)
            if status:
                error = f"its process ended ({status}): send it again."
                self.store.fail(job, error)
            self._clear()
            ended = self.store.find(job.id)
            if ended and ended.error:
                span.set_status(StatusCode.ERROR, ended.error)

    def _clear(self) -> None:
        folder = self._state / WORK
        shutil.rmtree(folder, ignore_errors=True)

    def _arguments(self, job: JobRecord, request: JobRequest) -> dict[str, Any]:
        """Return the arguments of `run_job.run`, which the process gets as JSON."""
        return {
            "root": str(self._repo.root),
            "state": str(self._state),
            "job": job.model_dump(),
            "request": request.model_dump(),
            "trace": tracing.headers(),
        }
