"""The application: all parts put together."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Callable

import httpx
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from app import openapi
from app.content_security_policy import DocumentationPolicy
from app.dependencies import TRAINER_SECONDS, Services
from app.errors import answer
from app.middleware import ALWAYS, Gateway, Log
from app.observability import drift
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog
from app.observability.recent_metrics import Minutes
from app.proxy import Proxies
from app.routes import admin, dashboard, feedback
from app.routes import models as model_routes
from app.routes import predict, v2
from app.serving.repository import Models
from app.settings import Settings
from core import tracing
from core.asgi import Head


def create(settings: Settings, log: Log) -> Gateway:
    """Return the application, its models loaded; nothing listens yet.

    Args:
        log: takes the content of one line a request.
    """
    metrics = Metrics()
    models = Models(settings.models, settings.state / "loaded", metrics)
    models.refresh(patient=False)
    # Never through a proxy of the environment: the trainer is ours, on this machine or
    # beside it.
    trainer = httpx.AsyncClient(
        base_url=settings.trainer_url, timeout=TRAINER_SECONDS, trust_env=False
    )
    minutes = Minutes(settings.prediction_log, metrics.registry)
    predictions = PredictionLog(settings, metrics)
    services = Services(settings, metrics, models, predictions, trainer, minutes)
    handled = (HTTPException, RequestValidationError, Exception)
    app = FastAPIOffline(
        title="MLOps predictions",
        description="Predictions of the models that the pipeline published.",
        version="1",
        lifespan=_lifespan,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers=dict.fromkeys(handled, answer),
        telemetry=tracing.telemetry("mlops-api", ALWAYS),
    )
    app.add_middleware(DocumentationPolicy)
    app.state.services = services
    app.router.routes[:0] = [*openapi.ROUTES, *predict.ROUTES]
    for part in (model_routes, dashboard, drift, feedback, admin, v2):
        app.include_router(part.router)
    whole: ASGIApp = app if tracing.on() else predict.Predict(services, app)
    if (
        tracing.on()
    ):  # then it stands inside of FastAPI, which makes the span of the request
        app.add_middleware(lambda inner: predict.Predict(services, inner))
    if settings.cors_origins:
        whole = CORSMiddleware(
            whole, settings.cors_origins, allow_methods=["GET", "POST"]
        )
    proxies = Proxies(settings.trusted_proxies, settings.root_path)
    return Gateway(Head(whole), metrics, settings.max_waiting, log, proxies)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    # All that lives as long as the process need not be looked through for garbage
    # again.
    gc.collect()
    gc.freeze()
    refresh, settings = services.models.refresh, services.settings
    watchers = [
        asyncio.create_task(
            _repeat("the models' files", refresh, settings.reload_seconds)
        ),
        asyncio.create_task(
            _repeat("drift", lambda: drift.look(services), settings.drift_seconds)
        ),
        asyncio.create_task(services.minutes.watch()),
    ]
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await services.trainer.aclose()
        await asyncio.to_thread(services.predictions.close)


async def _repeat(what: str, look: Callable[[], None], seconds: float) -> None:
    """Look at something for ever, away from the event loop."""
    while True:
        try:
            await asyncio.to_thread(look)
        except Exception:  # the next look may succeed
            logging.getLogger(__name__).exception("%s could not be looked at", what)
        await asyncio.sleep(seconds)
