"""The paths that change something: they need the key in `API_ADMIN_KEY` and end in a
job.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from app import jobs, training
from app.access import require_key, require_own_page
from app.dependencies import Here
from app.errors import ApiError
from app.jobs import FinishedJob, Job, Wait
from app.routes.feedback import TrueValue
from app.training import Strict, TaskName, Text, Train
from core.manifest import FeatureValue

RunId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]

router = APIRouter(
    tags=["admin"], dependencies=[Depends(require_own_page), Depends(require_key)]
)


class Load(Strict):
    """Which version to serve: its number in the registry, or the run it came from."""

    version: int | None = Field(None, ge=1, le=1_000_000)
    run_id: RunId | None = None


class Retrain(Strict):
    """Which tasks to train anew, and why; no task means all of them."""

    tasks: list[TaskName] = Field(default_factory=list, max_length=100)
    reason: str = Field("asked for by the API", max_length=500)


class Alert(BaseModel):
    """One alert of what Alertmanager sends; one of drift has the label `task`."""

    status: Text
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = Field(default_factory=dict)


class Alerts(BaseModel):
    """What Alertmanager sends, as far as it matters here."""

    alerts: list[Alert] = Field(max_length=1000)


class AnsweredAlerts(BaseModel):
    """What was done about alerts."""

    job: Job | None = Field(description="The training for those of drift.")
    ignored: list[str] = Field(description="The others, each with its task and status.")


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
    truth: TrueValue | None = Field(description="What came true, once that is known.")


@router.post(
    "/models/{task}/load",
    operation_id="load_version",
    response_model=FinishedJob,
    responses=jobs.RESPONSES,
)
async def load(
    task: str,
    body: Load,
    request: Request,
    services: Here,
    wait: Wait = jobs.WAIT_SECONDS,
) -> FinishedJob | Response:
    """Serve another version of a task's model until the next one is published."""
    services.models.get(task)
    if (body.version is None) == (body.run_id is None):
        raise ApiError(422, "name either version or run_id.")
    content = {"kind": "load", "task": task, **body.model_dump()}
    return await jobs.run(request, services, content, wait)


@router.post(
    "/model/load/{run_id}", response_model=FinishedJob, responses=jobs.RESPONSES
)
async def load_run(
    run_id: RunId, request: Request, services: Here, wait: Wait = jobs.WAIT_SECONDS
) -> FinishedJob | Response:
    """Serve the model of a run, of whichever task it is."""
    return await jobs.run(request, services, {"kind": "load", "run_id": run_id}, wait)


@router.post("/train", response_model=FinishedJob, responses=jobs.RESPONSES)
async def train(
    body: Train, request: Request, services: Here, wait: Wait = jobs.WAIT_SECONDS
) -> FinishedJob | Response:
    """Train one algorithm on the rows in the body and log it to MLflow."""
    content = body.model_dump(exclude={"hyperparameters"}) | {
        "kind": "train",
        "task": training.task_of(body, services.models, services.settings.default_task),
        "parameters": training.parameters_of(body),
    }
    return await jobs.run(request, services, content, wait)


@router.post("/retrain", response_model=FinishedJob, responses=jobs.RESPONSES)
async def retrain(
    request: Request,
    services: Here,
    body: Annotated[Retrain | SkipJsonSchema[None], Body()] = None,
    wait: Wait = jobs.WAIT_SECONDS,
) -> FinishedJob | Response:
    """Run the pipeline: on GitHub where a token is set up, else beside this process."""
    body = body or Retrain()
    for task in body.tasks:
        services.models.get(task)
    content = {"kind": "retrain", **body.model_dump()}
    return await jobs.run(request, services, content, wait)


@router.post("/alerts")
async def answer_alerts(body: Alerts, services: Here) -> AnsweredAlerts:
    """Retrain the tasks that drift, as Alertmanager's webhook tells it; ignore other
    alerts.

    The answer names the `job`, if there is one, and the alerts that were `ignored`.
    While such a job waits or runs, and for a day, its tasks are not trained for drift
    again: then it is that job, with the time when it was created.
    """
    drifted, ignored = {}, []
    for alert in body.alerts:
        name, task = (alert.labels.get(key, "") for key in ("alertname", "task"))
        if (alert.status, name) == (
            "firing",
            "DriftDetected",
        ) and task in services.models.entries:
            drifted[task] = f"{task} ({alert.annotations.get('features', '')[:200]})"
        else:
            ignored.append(f"{name} {task}".strip() + f" ({alert.status})")
    reason = f"alert DriftDetected: {', '.join(drifted.values())}"[:500]
    content = {
        "kind": "retrain",
        "tasks": list(drifted),
        "reason": reason,
        "drift": True,
    }
    job = (
        Job(**await services.ask_trainer("POST", "/jobs", content)) if drifted else None
    )
    return AnsweredAlerts(job=job, ignored=ignored)


@router.get("/jobs/{job_id}", operation_id="get_job")
async def job(job_id: str, services: Here) -> Job:
    """Tell how a job is getting on."""
    if not job_id.isalnum() or not job_id.isascii() or len(job_id) > 64:
        raise ApiError(404, "there is no such job.")
    return Job(**await services.ask_trainer("GET", f"/jobs/{job_id}"))


@router.get("/predictions", operation_id="list_predictions")
def predictions(
    services: Here,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    task: Annotated[str | SkipJsonSchema[None], Query(max_length=50)] = None,
) -> list[LoggedRow]:
    """List the last predictions, newest first."""
    return [
        LoggedRow(**row._asdict()) for row in services.predictions.latest(limit, task)
    ]
