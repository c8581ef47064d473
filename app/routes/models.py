"""The paths that only look: what is here, health, models, metrics."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from app.dependencies import Here
from app.observability.summary import summary
from app.serving.model import Model
from core.manifest import Feature, MetricValue, Target

router = APIRouter()


class Overview(BaseModel):
    """What is here; every link is a path on this server."""

    name: str
    predict: dict[str, str] = Field(
        description="By task; `default` is the one without a task."
    )
    explain: dict[str, str]
    look: list[str]


class Health(BaseModel):
    """How the API is."""

    status: str = Field(
        description="`ok`; `degraded`: an older model serves on; `not ready`."
    )
    problems: list[str] = Field(
        description="What is wrong and what to do, if anything is."
    )
    models: dict[str, int] = Field(description="The version in service of each task.")


class ModelSummary(BaseModel):
    """One model in service."""

    task: str
    title: str
    description: str
    version: int
    run_id: str
    algorithm: str
    target: Target = Field(description="What is predicted, its unit or its classes.")
    metrics: dict[str, MetricValue] = Field(
        description="On the hold-out, each with a 95 % interval."
    )
    since: datetime = Field(description="When it was promoted.")
    loaded: datetime = Field(description="When this process opened it.")
    sha256: str
    problem: str | None = Field(
        description="Why the files that lie there now are not served."
    )


class ModelDetails(ModelSummary):
    """One model with all that is known about it."""

    features: list[Feature]
    limits: list[str]
    card: str = Field(description="The model card, Markdown.")


class ModelInfo(BaseModel, extra="allow"):
    """The model of the default task, and beside it every model in service under its
    task.
    """

    __pydantic_extra__: dict[str, ModelSummary]
    name: str = Field(description="The task that is meant where none is named.")
    version: int
    run_id: str
    metrics: dict[str, float] = Field(description="On the hold-out.")
    loaded_at: datetime = Field(description="When this process opened it.")


@router.get("/", tags=["overview"], operation_id="get_overview")
def what_is_here(services: Here, request: Request) -> Overview:
    """Say what this is and where to go."""
    root, names = request.scope.get("root_path", ""), list(services.models.entries)
    look = (
        "/dashboard /models /health /metrics /metrics/summary /docs /redoc /v2".split()
    )
    predict = {name: f"{root}/predict/{name}" for name in names}
    explain = {name: f"{root}/explain/{name}" for name in names}
    return Overview(
        name="Predictions of the models in deployment/models",
        predict=predict | {"default": f"{root}/predict"},
        explain=explain | {"default": f"{root}/explain"},
        look=[root + path for path in look],
    )


@router.get("/health/live", tags=["health"], operation_id="check_live")
async def live() -> dict[str, str]:
    """Answer as long as the process does."""
    return {"status": "ok"}


@router.get(
    "/health/ready",
    tags=["health"],
    operation_id="check_ready",
    responses={503: {"model": Health}},
)
@router.get(
    "/health",
    tags=["health"],
    operation_id="get_health",
    responses={503: {"model": Health}},
)
async def health(services: Here, response: Response) -> Health:
    """Answer 200 if every task is served: its file is the right one and answers as
    recorded.
    """
    obstacles = services.models.obstacles()
    entries = services.models.entries.items()
    refused = [f"{name}: {entry.problem}" for name, entry in entries if entry.problem]
    if obstacles:
        response.status_code = 503
    status = "not ready" if obstacles else "degraded" if refused else "ok"
    versions = {
        n: model.manifest.version for n, model in services.models.served().items()
    }
    return Health(status=status, problems=obstacles or refused, models=versions)


@router.get("/models/info", tags=["models"], operation_id="list_models_info")
@router.get("/models", tags=["models"], operation_id="list_models")
def models(services: Here) -> dict[str, ModelSummary]:
    """List the models in service."""
    return {
        name: ModelSummary(**_about(services, model))
        for name, model in services.models.served().items()
    }


@router.get("/model/info", tags=["models"], operation_id="get_model_info")
def model_info(services: Here) -> ModelInfo:
    """Describe the default task's model in short, beside all models in service by task."""
    model = services.default_model()
    manifest, cards = model.manifest, models(services)
    about = {
        "name": manifest.task,
        "version": manifest.version,
        "run_id": manifest.run_id,
        "metrics": {
            name: metric.value for name, metric in manifest.holdout.metrics.items()
        },
        "loaded_at": model.loaded,
    }
    return ModelInfo(**{**cards, **about})


@router.get("/models/{task}", tags=["models"], operation_id="get_model")
def model(task: str, services: Here) -> ModelDetails:
    """Tell all about one task's model."""
    return ModelDetails(**_about(services, services.models.get(task)))


@router.get(
    "/metrics/prometheus",
    tags=["metrics"],
    operation_id="get_metrics_prometheus",
    response_class=PlainTextResponse,
)
@router.get(
    "/metrics",
    tags=["metrics"],
    operation_id="get_metrics",
    response_class=PlainTextResponse,
)
async def metrics(services: Here, request: Request) -> Response:
    """Render the metrics as Prometheus reads them."""
    text, media_type = services.metrics.render(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": media_type})


@router.get("/metrics/summary", tags=["metrics"], operation_id="get_metrics_summary")
def metrics_summary(services: Here) -> dict[str, Any]:
    """Tell people the main figures since the process began."""
    return summary(services.metrics)


def _about(services: Here, model: Model) -> dict[str, Any]:
    manifest = model.manifest
    return manifest.model_dump(exclude={"golden", "reference"}) | {
        "metrics": manifest.holdout.metrics,
        "since": manifest.promoted / 1000,
        "loaded": model.loaded,
        "problem": services.models.entries[manifest.task].problem,
        "card": model.card,
    }
