"""The jobs of a state folder, one JSON file each; times in milliseconds since 1970."""

import time
from pathlib import Path
from uuid import uuid4

from core.files import to_json, write_atomic
from core.jobs import JobKind, JobRecord

MOST_KEPT = 100


class JobStore:
    """The files `jobs/<id>.json` in a state folder.

    They are written by the worker and by the process of the running job.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "jobs"

    def all(self) -> list[JobRecord]:
        """Return all jobs that are kept, oldest first."""
        jobs = []
        for path in self._folder.glob("*.json"):
            content = path.read_bytes()
            job = JobRecord.model_validate_json(content)
            jobs.append(job)
        return sorted(jobs, key=lambda job: job.created)

    def find(self, job_id: str) -> JobRecord | None:
        """Return a job as it is now, or None if it is not kept."""
        # Not by its path: the ID comes from a client.
        for job in self.all():
            if job.id == job_id:
                return job
        return None

    def add(self, kind: JobKind, drifted: list[str]) -> JobRecord:
        """Write a new job; of those that have ended, the oldest are deleted."""
        ended = [job for job in self.all() if job.ended]
        for job in ended[: 1 - MOST_KEPT]:
            path = self._path(job.id)
            path.unlink()
        job = JobRecord(
            id=uuid4().hex,
            kind=kind,
            status="queued",
            created=now(),
            drifted=drifted,
        )
        return self.update(job)

    def update(self, job: JobRecord, **changes: object) -> JobRecord:
        """Write a job with some fields changed and return it as it is now."""
        updated = job.model_copy(update=changes)
        content = to_json(updated.model_dump())
        write_atomic(self._path(job.id), content)
        return updated

    def fail(self, job: JobRecord, error: str, refused: bool = False) -> None:
        """Write that a job has failed, and why.

        Args:
            job: the job.
            error: the error message.
            refused: whether the request is the cause.
        """
        self.update(
            job,
            status="failed",
            ended=now(),
            error=error,
            refused=refused,
            drifted=[],
        )

    def _path(self, job_id: str) -> Path:
        return self._folder / f"{job_id}.json"


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
