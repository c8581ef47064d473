"""`GET /`: what this server offers, as JSON for programs and as a page for browsers."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.asgi.content_negotiation import HTML, prefers_html
from app.dependencies import Services, ServicesDep
from app.routes import try_it

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


AS_A_PAGE: dict[int | str, dict[str, Any]] = {
    200: {"content": {HTML: {"schema": {"type": "string"}}}}
}


@router.get(
    "/",
    operation_id="get_overview",
    summary="Get overview",
    response_model=Overview,
    responses=AS_A_PAGE,
)
def get_overview(
    services: ServicesDep, request: Request, response: Response
) -> Overview | Response:
    """Return links to the paths of this server; browsers get a page to try the models."""
    if prefers_html(request.headers):
        answer = try_it.get_page(services, request)
        answer.headers["Vary"] = "Accept"
        return answer
    response.headers["Vary"] = "Accept"
    return _overview(services, request.scope.get("root_path", ""))


def _overview(services: Services, root: str) -> Overview:
    tasks = list(services.models.tasks)
    predict = {task: f"{root}/predict/{task}" for task in tasks}
    explain = {task: f"{root}/explain/{task}" for task in tasks}
    return Overview(
        name="Predictions of the models in deployment/models",
        predict=predict | {"default": f"{root}/predict"},
        explain=explain | {"default": f"{root}/explain"},
        look=[root + path for path in PAGES],
    )
