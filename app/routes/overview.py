"""`GET /`: what this server offers."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.dependencies import ServicesDep

PAGES = (
    "/dashboard",
    "/models",
    "/health",
    "/metrics",
    "/metrics/summary",
    "/docs",
    "/redoc",
    "/v2",
)

router = APIRouter(tags=["overview"])


class Overview(BaseModel):
    """What this server offers; every link is a path on it."""

    name: str
    predict: dict[str, str] = Field(
        description="By task; `default` is the one without a task."
    )
    explain: dict[str, str]
    look: list[str] = Field(description="Pages and resources to read.")


@router.get("/", operation_id="get_overview", summary="Get overview")
def get_overview(services: ServicesDep, request: Request) -> Overview:
    """Return links to the prediction paths and to the pages of this server."""
    root = request.scope.get("root_path", "")
    tasks = list(services.models.tasks)
    predict = {task: f"{root}/predict/{task}" for task in tasks}
    explain = {task: f"{root}/explain/{task}" for task in tasks}
    return Overview(
        name="Predictions of the models in deployment/models",
        predict=predict | {"default": f"{root}/predict"},
        explain=explain | {"default": f"{root}/explain"},
        look=[root + path for path in PAGES],
    )
