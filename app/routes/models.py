"""The models in service, with their manifests, cards and metrics."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.dependencies import Services, ServicesDep
from app.serving.model import Model
from core.manifest import Feature, Target
from core.manifest_metrics import MetricValue

router = APIRouter(tags=["models"])


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
        description="Why newer files of the task are not served."
    )


class ModelDetail(ModelSummary):
    """One model with its features, its limits and its model card."""

    features: list[Feature]
    limits: list[str]
    card: str = Field(description="The model card, Markdown.")


class ModelInfo(BaseModel, extra="allow"):
    """The default task's model, and beside it every model in service by its task."""

    __pydantic_extra__: dict[str, ModelSummary]
    name: str = Field(description="The default task.")
    version: int
    run_id: str
    metrics: dict[str, float] = Field(description="On the hold-out.")
    loaded_at: datetime = Field(description="When this process opened it.")


@router.get(
    "/models/info", operation_id="list_models_info", summary="List models (alias)"
)
@router.get("/models", operation_id="list_models", summary="List models")
def list_models(services: ServicesDep) -> dict[str, ModelSummary]:
    """Return the models in service by task."""
    return {
        task: ModelSummary(**_description(services, model))
        for task, model in services.models.served().items()
    }


@router.get(
    "/model/info", operation_id="get_model_info", summary="Get the default model"
)
def get_model_info(services: ServicesDep) -> ModelInfo:
    """Return a summary of the default task's model, and all models by task."""
    model = services.models.default_model()
    manifest = model.manifest
    metrics = {name: metric.value for name, metric in manifest.holdout.metrics.items()}
    default = {
        "name": manifest.task,
        "version": manifest.version,
        "run_id": manifest.run_id,
        "metrics": metrics,
        "loaded_at": model.loaded,
    }
    # A task may have the name of one of these fields: the field comes first.
    return ModelInfo(**{**list_models(services), **default})


@router.get("/models/{task}", operation_id="get_model", summary="Get model")
def get_model(task: str, services: ServicesDep) -> ModelDetail:
    """Return all details of a task's model."""
    return ModelDetail(**_description(services, services.models.get(task)))


def _description(services: Services, model: Model) -> dict[str, Any]:
    manifest = model.manifest
    description = manifest.model_dump(exclude={"golden", "reference"})
    description |= {
        "metrics": manifest.holdout.metrics,
        "since": manifest.promoted / 1000,
        "loaded": model.loaded,
        "problem": services.models.tasks[manifest.task].problem,
        "card": model.card,
    }
    return description
