"""The paths that change something: they need the key in `API_ADMIN_KEY` and end in a job."""

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Security
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypeAliasType

from app.errors import ApiError
from app.services import Here

MAX_ROWS = 100_000
# Only bounded texts are checked for what cannot be sent on: halves of characters.
Text = Annotated[str, Field(max_length=1000)]
Parameter = TypeAliasType("Parameter", float | int | Text | bool)
Cell = TypeAliasType("Cell", float | Text)
RunId = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
key_header = APIKeyHeader(
    name="X-API-Key",
    scheme_name="AdminKey",
    description="The key that `API_ADMIN_KEY` names.",
    auto_error=False,
)


async def require_key(services: Here, key: Annotated[str | None, Security(key_header)]) -> None:
    """Let only those pass who have the key.

    Raises:
        ApiError: 403 if no key is set up, 401 if the request's is not that one.
    """
    expected = services.settings.admin_key
    if expected is None:
        raise ApiError(403, "this needs a key and none is set up: start with API_ADMIN_KEY set.")
    if key is None or not secrets.compare_digest(
        key.encode(), expected.get_secret_value().encode()
    ):
        raise ApiError(401, "the header X-API-Key must hold the key that API_ADMIN_KEY names.")


router = APIRouter(tags=["admin"], dependencies=[Depends(require_key)])


class Strict(BaseModel):
    """A request that may not hold what it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Load(Strict):
    """Which version to serve: its number in the registry, or the run it came from."""

    version: int | None = Field(None, ge=1, le=1_000_000)
    run_id: RunId | None = None


class Train(Strict):
    """One algorithm on one data set; without `data`, on the task's own."""

    task: str = Field("housing", pattern="^[a-z][a-z0-9_]{0,49}$")
    algorithm: Literal[
        "random_forest", "gradient_boosting", "logistic_regression", "linear_regression"
    ]
    parameters: dict[Text, Parameter | None] = Field(default_factory=dict)
    data: list[dict[Text, Cell]] | None = Field(
        None,
        min_length=1,
        max_length=MAX_ROWS,
        description="Rows with all features and the target.",
    )


class Retrain(Strict):
    """Which tasks to train anew, and why; no task means all of them."""

    tasks: list[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,49}$")]] = Field(
        default_factory=list, max_length=100
    )
    reason: str = Field("asked for by the API", max_length=500)


class Alert(BaseModel):
    """One alert of what Alertmanager sends; one of drift has the label `task`."""

    status: Text
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = Field(default_factory=dict)


class Alerts(BaseModel):
    """What Alertmanager sends, as far as it matters here."""

    alerts: list[Alert] = Field(max_length=1000)


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


@router.post("/models/{task}/load", status_code=202)
async def load(task: str, body: Load, services: Here) -> Job:
    """Serve another version of a task's model until the next one is published."""
    services.models.get(task)
    if (body.version is None) == (body.run_id is None):
        raise ApiError(422, "name either version or run_id.")
    return await _submit(services, {"kind": "load", "task": task, **body.model_dump()})


@router.post("/model/load/{run_id}", status_code=202)
async def load_run(run_id: RunId, services: Here) -> Job:
    """Serve the model of a run, of whichever task it is."""
    return await _submit(services, {"kind": "load", "run_id": run_id})


@router.post("/train", status_code=202)
async def train(body: Train, services: Here) -> Job:
    """Train one algorithm on the rows in the body and log it to MLflow."""
    services.models.get(body.task)
    return await _submit(services, {"kind": "train", **body.model_dump()})


@router.post("/retrain", status_code=202)
async def retrain(body: Retrain, services: Here) -> Job:
    """Run the pipeline: on GitHub where a token is set up, else beside this process."""
    for task in body.tasks:
        services.models.get(task)
    return await _submit(services, {"kind": "retrain", **body.model_dump()})


@router.post("/alerts")
async def answer_alerts(body: Alerts, services: Here) -> dict[str, Any]:
    """Retrain the tasks that drift, as Alertmanager's webhook tells it; ignore other alerts.

    The answer names the `job`, if there is one, and the alerts that were `ignored`. While such a
    job waits or runs, and for a day, its tasks are not trained for drift again: then it is that
    job, with the time when it was created.
    """
    drifted, ignored = {}, []
    for alert in body.alerts:
        name, task = (alert.labels.get(key, "") for key in ("alertname", "task"))
        if (alert.status, name) == ("firing", "DriftDetected") and task in services.models.entries:
            drifted[task] = f"{task} ({alert.annotations.get('features', '')[:200]})"
        else:
            ignored.append(f"{name} {task}".strip() + f" ({alert.status})")
    reason = f"alert DriftDetected: {', '.join(drifted.values())}"[:500]
    content = {"kind": "retrain", "tasks": list(drifted), "reason": reason, "drift": True}
    return {"job": await _submit(services, content) if drifted else None, "ignored": ignored}


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
) -> list[dict[str, Any]]:
    """List the last predictions, newest first."""
    return [row._asdict() for row in services.predictions.latest(limit, task)]


async def _submit(services: Here, content: dict[str, Any]) -> Job:
    return Job(**await services.ask_trainer("POST", "/jobs", content))
