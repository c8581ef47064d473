"""`/dashboard`: the last hour on one page, without Prometheus and Grafana."""

import time
from pathlib import Path

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app.asgi import html_page
from app.dependencies import ServicesDep
from app.routes import models as model_routes

router = APIRouter(tags=["overview"])
PAGE = Path(__file__).with_name("dashboard.html")


class DashboardFigures(BaseModel):
    """What the dashboard shows.

    The key of a metric has its name and labels, such as `predictions_total|iris|setosa`.
    """

    minute: int = Field(
        description="Start of the present minute, in seconds since 1970."
    )
    hour: dict[str, list[float]] = Field(
        description="Growth in each of the last 60 minutes, oldest first."
    )
    now: dict[str, float] = Field(
        description="The present values of the metrics of this process."
    )
    models: dict[str, model_routes.ModelSummary | None] = Field(
        description="The models in service by task; null if there is none."
    )
    problems: dict[str, str | None] = Field(
        description="Why the files of a task are not served."
    )


@router.get("/dashboard", include_in_schema=False)
def get_page() -> Response:
    """Return the page, which requests its figures itself."""
    text, policy = read()
    headers = {"Content-Security-Policy": policy}
    return Response(text, headers=headers, media_type="text/html")


def read() -> tuple[str, str]:
    """Return the page and its policy."""
    return html_page.read(PAGE)


@router.get(
    "/dashboard/figures",
    operation_id="get_dashboard_figures",
    summary="Get dashboard figures",
)
def get_figures(services: ServicesDep) -> DashboardFigures:
    """Return the metrics of the last hour, minute by minute, and the current state."""
    minute = int(time.time() // 60)
    tasks = services.models.tasks
    models = model_routes.list_models(services)
    return DashboardFigures(
        minute=minute * 60,
        hour=services.recent_metrics.hour(minute),
        now=services.recent_metrics.totals(),
        models={name: models.get(name) for name in tasks},
        problems={name: state.problem for name, state in tasks.items()},
    )
