"""The metrics, for Prometheus and for people."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from app.dependencies import ServicesDep
from app.observability.summary import summary

router = APIRouter(tags=["metrics"])


@router.get(
    "/metrics/prometheus",
    operation_id="get_metrics_prometheus",
    summary="Get metrics (alias)",
    response_class=PlainTextResponse,
)
@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Get metrics",
    response_class=PlainTextResponse,
)
async def get_metrics(services: ServicesDep, request: Request) -> Response:
    """Return the metrics in the format that a Prometheus scraper accepts."""
    text, media_type = services.metrics.render(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": media_type})


@router.get(
    "/metrics/summary",
    operation_id="get_metrics_summary",
    summary="Get metrics summary",
)
def get_metrics_summary(services: ServicesDep) -> dict[str, Any]:
    """Return a human-readable summary of the metrics since the process started."""
    return summary(services.metrics)
