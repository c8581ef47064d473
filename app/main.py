"""The application: `create_app` puts all parts together."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app.asgi.content_security_policy import DocumentationPolicy
from app.asgi.probes import PROBE_PATHS
from app.asgi.proxy import Proxies
from app.dependencies import Services
from app.errors import error_response
from app.middleware import Log, RequestContextMiddleware
from app.observability import model_gauges
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog
from app.observability.recent_metrics import RecentMetrics
from app.openapi import document
from app.routes import (
    admin,
    alerts,
    dashboard,
    drift,
    explain,
    feedback,
    health,
    jobs,
    metrics,
    models,
    overview,
    predict,
    quality,
    train,
    v2,
)
from app.serving.repository import ModelRepository
from app.settings import Settings
from app.worker_client import WorkerClient
from core import tracing
from core.asgi import Head

ROUTERS = (
    overview.router,
    dashboard.router,
    health.router,
    models.router,
    drift.router,
    feedback.router,
    quality.router,
    metrics.router,
    admin.router,
    train.router,
    alerts.router,
    jobs.router,
    v2.router,
)
# Only what FastAPI itself would answer in another form.
HANDLED_ERRORS = (HTTPException, RequestValidationError, Exception)


def create_app(settings: Settings, log: Log) -> RequestContextMiddleware:
    """Return the application with its models loaded; nothing listens yet.

    From the outside in, a request passes `RequestContextMiddleware`, `Head`, CORS if it
    is configured, the request's span if it is traced, `Predict`, and FastAPI's own
    layers and routes. `app.routes.predict` lists the price of each.

    Args:
        log: takes the fields of one log line for each request.
    """
    services = create_services(settings)
    app = FastAPIOffline(
        title="MLOps predictions",
        description="Predictions of the models that the pipeline published.",
        version="1",
        lifespan=_lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers=dict.fromkeys(HANDLED_ERRORS, error_response),
        telemetry=tracing.telemetry("mlops-api", PROBE_PATHS),
    )
    app.state.services = services
    app.add_middleware(DocumentationPolicy)
    app.router.routes[:0] = [*document.ROUTES, *predict.ROUTES, *explain.ROUTES]
    for router in ROUTERS:
        app.include_router(router)
    # Within the request's span, but before all layers that FastAPI would add.
    app.middleware_stack = predict.Predict(app.build_middleware_stack(), services)
    inner: ASGIApp = app
    if settings.cors_origins:
        inner = CORSMiddleware(
            app, settings.cors_origins, allow_methods=["GET", "POST"]
        )
    proxies = Proxies(settings.trusted_proxies, settings.root_path)
    return RequestContextMiddleware(
        Head(inner), services.metrics, settings.max_waiting, log, proxies
    )


def create_services(settings: Settings) -> Services:
    """Return the parts of the application, the models loaded."""
    registry = Metrics()
    loaded_folder = settings.state / "loaded"
    repository = ModelRepository(
        settings.models, loaded_folder, registry, settings.default_task
    )
    repository.reload(require_stable=False)
    return Services(
        settings=settings,
        metrics=registry,
        models=repository,
        predictions=PredictionLog(settings, registry),
        worker=WorkerClient(settings.trainer_url),
        recent_metrics=RecentMetrics(settings.prediction_log, registry.registry),
    )


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    settings = services.settings
    # What lives as long as the process need not be searched for garbage again.
    gc.collect()
    gc.freeze()
    reload_models = repeat(
        "reloading the models", services.models.reload, settings.reload_seconds
    )

    def update_gauges() -> None:
        model_gauges.update(services.metrics, services.models, services.predictions)

    measure_drift = repeat("measuring drift", update_gauges, settings.drift_seconds)
    background_tasks = [
        asyncio.create_task(reload_models),
        asyncio.create_task(measure_drift),
        asyncio.create_task(services.recent_metrics.watch()),
    ]
    try:
        yield
    finally:
        for task in background_tasks:
            task.cancel()
        await services.worker.aclose()
        await asyncio.to_thread(services.predictions.close)


async def repeat(name: str, function: Callable[[], None], seconds: float) -> None:
    """Call a function in a thread for ever, with a pause after each call."""
    while True:
        try:
            await asyncio.to_thread(function)
        except Exception:  # the next call may succeed
            logging.getLogger(__name__).exception("%s failed", name)
        await asyncio.sleep(seconds)
