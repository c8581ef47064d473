"""What the endpoints depend on: the parts of a running API, one of each."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog
from app.observability.recent_metrics import RecentMetrics
from app.serving.repository import ModelRepository
from app.settings import Settings
from app.worker_client import WorkerClient


@dataclass(frozen=True)
class Services:
    """The parts of a running API; each lives as long as the application."""

    settings: Settings
    metrics: Metrics
    models: ModelRepository
    predictions: PredictionLog
    worker: WorkerClient
    recent_metrics: RecentMetrics


def get_services(request: Request) -> Services:
    """Return the parts of the application that received a request."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]
