"""Jobs of the trainer: sent to it, waited for, and answered."""

import time
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from app.dependencies import Services
from app.errors import ApiError
from app.middleware import Gateway

WAIT_SECONDS = 30
# How long the trainer is asked at a time; after each it is seen whether the client is
# still there.
STEP_SECONDS = 2.0
# Requests that may wait at the same time; others are answered at once, as with
# `wait=0`.
MAX_WAITING = 20
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


class Job(BaseModel):
    """Work of the trainer."""

    id: str
    kind: Literal["load", "train", "retrain"]
    status: Literal["queued", "running", "succeeded", "failed"]
    created: int = Field(description="Milliseconds since 1970, as all times here.")
    started: int | None = None
    ended: int | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


class FinishedJob(Job):
    """A job that has succeeded, with the run that it made or loaded."""

    run_id: str | None = Field(
        description="None if the job was about several runs or about none."
    )
    metrics: dict[str, float] | None = Field(
        description="The run's metrics on the hold-out."
    )


RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Job,
        "description": "The job has not ended yet; GET /jobs/{job_id} follows it.",
    }
}


async def run(
    request: Request, services: Services, content: dict[str, Any], wait: float
) -> FinishedJob | Response:
    """Send a job and answer with its end, or with its state if that takes too long.

    A client that goes away does not stop the job.

    Raises:
        ApiError: the job has failed: 422 for what was asked for, else 500; or the
            trainer does not answer.
    """
    job = await services.ask_trainer("POST", "/jobs", content)
    gateway: Gateway = request.scope["gateway"]
    if wait and gateway.aside_now < MAX_WAITING:
        with gateway.aside(request.scope):
            job = await _ended(request, services, job, wait)
    if job.get("error"):
        raise ApiError(422 if job["refused"] else 500, job["error"])
    if not job.get("ended"):
        return JSONResponse(Job(**job).model_dump(), 202)
    result = job["result"]
    return FinishedJob(
        **job, run_id=result.get("run_id"), metrics=result.get("metrics")
    )


async def _ended(
    request: Request, services: Services, job: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Return a job as it is at its end, or once nobody should wait for it any longer."""
    gateway: Gateway = request.scope["gateway"]
    deadline = time.monotonic() + seconds
    while (
        not job.get("ended")
        and not gateway.draining
        and not await request.is_disconnected()
    ):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        step = min(left, STEP_SECONDS)
        job = await services.ask_trainer("GET", f"/jobs/{job['id']}?wait={step:.3f}")
    return job
