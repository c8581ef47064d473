"""Administration: load another version, retrain, read the prediction log.

Each path needs the key in the header `X-API-Key`.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from app.dependencies import ServicesDep
from app.errors import ApiError
from app.routes.feedback import TrueValue
from app.routes.jobs import RESPONSES, WAIT_SECONDS, FinishedJob, Wait, run_job
from app.routes.train import StrictModel, TaskName
from app.security import ADMIN_ONLY
from core.jobs import JobRequest
from core.manifest import FeatureValue

RunId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]

router = APIRouter(tags=["admin"], dependencies=ADMIN_ONLY)


class Load(StrictModel):
    """Which version to serve: its number in the registry, or the run it came from."""

    version: int | None = Field(None, ge=1, le=1_000_000)
    run_id: RunId | None = None


class Retrain(StrictModel):
    """Which tasks to retrain, and why; no task means all of them."""

    tasks: list[TaskName] = Field(default_factory=list, max_length=100)
    reason: str = Field("asked for by the API", max_length=500)


class LoggedRow(BaseModel):
    """A prediction as it is in the log."""

    id: int
    time: float = Field(description="Seconds since 1970.")
    request_id: str
    task: str
    version: int
    run_id: str
    features: dict[str, FeatureValue]
    prediction: dict[str, Any] = Field(description="As it was answered.")
    truth: TrueValue | None = Field(description="The ground truth, once it is known.")


@router.post(
    "/models/{task}/load",
    operation_id="load_version",
    summary="Load a version of a model",
    response_model=FinishedJob,
    responses=RESPONSES,
)
async def load_version(
    task: str,
    body: Load,
    request: Request,
    services: ServicesDep,
    wait: Wait = WAIT_SECONDS,
) -> FinishedJob | Response:
    """Serve another version of a task's model until the next one is published."""
    services.models.get(task)
    if (body.version is None) == (body.run_id is None):
        raise ApiError(422, "name either version or run_id.")
    load = JobRequest.model_construct(kind="load", task=task, **body.model_dump())
    return await run_job(request, services, load, wait)


@router.post(
    "/model/load/{run_id}",
    operation_id="load_run",
    summary="Load the model of a run",
    response_model=FinishedJob,
    responses=RESPONSES,
)
async def load_run(
    run_id: RunId, request: Request, services: ServicesDep, wait: Wait = WAIT_SECONDS
) -> FinishedJob | Response:
    """Serve the model of a run, whichever task it is for."""
    load = JobRequest.model_construct(kind="load", run_id=run_id)
    return await run_job(request, services, load, wait)


@router.post(
    "/retrain",
    operation_id="retrain",
    summary="Retrain tasks",
    response_model=FinishedJob,
    responses=RESPONSES,
)
async def retrain(
    request: Request,
    services: ServicesDep,
    body: Annotated[Retrain | SkipJsonSchema[None], Body()] = None,
    wait: Wait = WAIT_SECONDS,
) -> FinishedJob | Response:
    """Run the pipeline: on GitHub if a token is configured, else in the worker."""
    body = body or Retrain()
    for task in body.tasks:
        services.models.get(task)
    retraining = JobRequest.model_construct(kind="retrain", **body.model_dump())
    return await run_job(request, services, retraining, wait)


@router.get(
    "/predictions", operation_id="list_predictions", summary="List logged predictions"
)
def list_predictions(
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    task: Annotated[str | SkipJsonSchema[None], Query(max_length=50)] = None,
) -> list[LoggedRow]:
    """Return the latest predictions in the log, newest first."""
    rows = services.predictions.latest(limit, task)
    return [LoggedRow(**row._asdict()) for row in rows]
