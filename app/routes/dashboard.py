"""`/dashboard`: the last hour on one page, for those who have no Prometheus and no
Grafana.
"""

import base64
import hashlib
import re
import time
from pathlib import Path

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from app.dependencies import ServicesDep
from app.routes import models as model_routes

router = APIRouter(tags=["overview"])
PAGE = Path(__file__).with_name("dashboard.html")
POLICY = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'"


class DashboardFigures(BaseModel):
    """What the dashboard shows; metrics by name and labels:
    `predictions_total|iris|setosa`.
    """

    minute: int = Field(
        description="When the present minute began, in seconds since 1970."
    )
    hour: dict[str, list[float]] = Field(
        description="Growth in 60 minutes, this one the last."
    )
    now: dict[str, float] = Field(description="How all metrics of this process stand.")
    models: dict[str, model_routes.ModelSummary | None] = Field(
        description="By task; null: none is in service."
    )
    problems: dict[str, str | None] = Field(
        description="Why a task's files are not served."
    )


@router.get("/dashboard", include_in_schema=False)
def page() -> Response:
    """Return the page; its figures it asks for itself."""
    text, policy = read()
    return Response(
        text, headers={"Content-Security-Policy": policy}, media_type="text/html"
    )


def read() -> tuple[str, str]:
    """Return the page, and what it is allowed: its own style and script, and to ask us."""
    text, policy = PAGE.read_text("utf-8"), POLICY
    for kind, own in re.findall(r"(?s)<(style|script)>(.*?)</", text):
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        policy += f"; {kind}-src 'sha256-{digest}'"
    return text, policy


@router.get("/dashboard/figures", operation_id="get_dashboard_figures")
def figures(services: ServicesDep) -> DashboardFigures:
    """Tell what happened in the last hour, minute by minute, and how things are now."""
    minute, cards, entries = (
        time.time() // 60,
        model_routes.list_models(services),
        services.models.tasks,
    )
    return DashboardFigures(
        minute=int(minute) * 60,
        hour=services.recent_metrics.hour(int(minute)),
        now=services.recent_metrics.totals(),
        models={name: cards.get(name) for name in entries},
        problems={name: entry.problem for name, entry in entries.items()},
    )
