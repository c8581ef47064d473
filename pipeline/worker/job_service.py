"""The service for jobs: send one, and follow it until it has ended."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from core.jobs import JobRecord, JobRequest
from pipeline.worker.job_queue import JobQueue

Wait = Annotated[
    float, Query(ge=0, le=30, description="Seconds to wait for the job's end.")
]
QUEUED_FIELDS = {"id", "kind", "status", "created"}


def routes(queue: JobQueue) -> APIRouter:
    """Return the service's routes."""
    router = APIRouter()

    @router.post("/jobs", status_code=202)
    async def submit(request: JobRequest) -> dict[str, Any]:
        return queue.submit(request).model_dump(include=QUEUED_FIELDS)

    @router.get("/jobs/{job_id}")
    async def get_job(job_id: str, wait: Wait = 0) -> JobRecord:
        await queue.wait(job_id, wait)
        job = queue.store.find(job_id)
        if job is None:
            raise HTTPException(404, f"there is no job {job_id!r}.")
        return job

    return router
