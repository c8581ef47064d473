"""Jobs of the worker: submitted, waited for, and followed by `GET /jobs/{job_id}`."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.dependencies import Services, ServicesDep
from app.errors import ApiError
from app.middleware import RequestContextMiddleware
from app.security import ADMIN_ONLY
from app.worker_client import WorkerClient
from core.jobs import Job, JobRecord, JobRequest

WAIT_SECONDS = 30
# How long one request to the worker waits; after each, the API checks whether its own
# client is still connected.
STEP_SECONDS = 2.0
# How many requests may wait for jobs; others are answered at once, as with `wait=0`.
MAX_WAITING = 20
MAX_ID_LENGTH = 64
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=WAIT_SECONDS,
        description=(
            "Seconds to wait for the job: 200 if it has ended by then, else 202."
        ),
    ),
]

router = APIRouter(tags=["admin"], dependencies=ADMIN_ONLY)


class FinishedJob(Job):
    """A job that has succeeded, with the run that it produced or loaded."""

    run_id: str | None = Field(description="None if the job has several runs, or none.")
    metrics: dict[str, float] | None = Field(
        description="The run's metrics on the hold-out."
    )


RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Job,
        "description": "The job has not ended yet; GET /jobs/{job_id} follows it.",
    }
}


@router.get("/jobs/{job_id}", operation_id="get_job", summary="Get job")
async def get_job(job_id: str, services: ServicesDep) -> Job:
    """Return the state of a job."""
    is_plain = job_id.isalnum() and job_id.isascii()
    if not is_plain or len(job_id) > MAX_ID_LENGTH:
        raise ApiError(404, "there is no such job.")
    return Job(**await services.worker.get(f"/jobs/{job_id}"))


async def run_job(
    request: Request, services: Services, job_request: JobRequest, wait: float
) -> FinishedJob | Response:
    """Submit a job and answer with its end, or with its state if that takes too long.

    A client that disconnects does not stop the job.

    Raises:
        ApiError: the job failed: 422 if its request cannot be fulfilled, else 500; or
            the worker does not answer.
    """
    job = await submit(services.worker, job_request)
    context: RequestContextMiddleware = request.scope["request_context"]
    if wait and context.waiting_for_jobs < MAX_WAITING:
        with context.waiting_for_job(request.scope):
            job = await _wait_for(request, services.worker, job, wait)
    if job.error:
        raise ApiError(422 if job.refused else 500, job.error)
    public = job.model_dump(include=set(Job.model_fields))
    if not job.ended:
        return JSONResponse(public, 202)
    result = job.result or {}
    return FinishedJob(
        **public, run_id=result.get("run_id"), metrics=result.get("metrics")
    )


async def submit(worker: WorkerClient, job_request: JobRequest) -> JobRecord:
    """Send a job to the worker and return it, as a rule before it has begun.

    Raises:
        ApiError: the worker does not answer.
    """
    answer = await worker.post("/jobs", job_request.model_dump())
    return JobRecord.model_validate(answer)


async def _wait_for(
    request: Request, worker: WorkerClient, job: JobRecord, seconds: float
) -> JobRecord:
    """Return a job once it has ended or waiting for it is of no more use."""
    context: RequestContextMiddleware = request.scope["request_context"]
    deadline = time.monotonic() + seconds
    while not job.ended:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or context.draining or await request.is_disconnected():
            break
        step = min(remaining, STEP_SECONDS)
        answer = await worker.get(f"/jobs/{job.id}?wait={step:.3f}")
        job = JobRecord.model_validate(answer)
    return job
