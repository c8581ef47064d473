"""The application: all parts put together."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp

from app import (
    admin,
    dashboard,
    drift,
    errors,
    inference,
    openapi,
    pages,
    predict,
    quality,
    tracing,
)
from app.errors import ApiError
from app.gateway import ALWAYS, Gateway, Log
from app.metrics import Metrics
from app.minutes import Minutes
from app.models import Models
from app.prediction_log import PredictionLog
from app.services import TRAINER_SECONDS, Services
from app.settings import Settings


def create(settings: Settings, log: Log) -> Gateway:
    """Return the application, its models loaded; nothing listens yet.

    Args:
        log: takes the content of one line a request.
    """
    metrics = Metrics()
    models = Models(settings.models, settings.state / "loaded", metrics)
    models.refresh(patient=False)
    trainer = httpx.AsyncClient(base_url=settings.trainer_url, timeout=TRAINER_SECONDS)
    minutes = Minutes(settings.prediction_log, metrics.registry)
    predictions = PredictionLog(settings, metrics)
    services = Services(settings, metrics, models, predictions, trainer, minutes)
    app = FastAPIOffline(
        title="MLOps predictions",
        description="Predictions of the models that the pipeline published.",
        version="1",
        lifespan=_lifespan,
        redirect_slashes=False,
        telemetry=tracing.telemetry("mlops-api", ALWAYS),
    )
    app.state.services = services
    app.router.routes[:0] = predict.ROUTES
    for part in (pages, dashboard, drift, quality, admin, inference):
        app.include_router(part.router)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)
    for kind in (ApiError, Exception):
        app.exception_handler(kind)(errors.answer)
    app.openapi = lambda: openapi.document(app, services)  # type: ignore[method-assign]
    whole: ASGIApp = app if tracing.ON else predict.Predict(services, app)
    if tracing.ON:  # then it stands inside of FastAPI, which makes the span of the request
        app.add_middleware(lambda inner: predict.Predict(services, inner))
    if settings.cors_origins:
        whole = CORSMiddleware(whole, settings.cors_origins, allow_methods=["GET", "POST"])
    return Gateway(whole, metrics, settings.max_waiting, log)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    # All that lives as long as the process need not be looked through for garbage again.
    gc.collect()
    gc.freeze()
    watchers = [
        asyncio.create_task(services.models.watch(services.settings.reload_seconds)),
        asyncio.create_task(drift.watch(services, services.settings.drift_seconds)),
        asyncio.create_task(services.minutes.watch()),
    ]
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await services.trainer.aclose()
        await asyncio.to_thread(services.predictions.close)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this path: GET / says what is here."}
    message = words.get(error.status_code, str(error.detail))
    if error.status_code == 400:  # FastAPI's for a body that is no UTF-8
        return await errors.answer(request, errors.invalid([{"loc": (), "msg": "Invalid JSON"}]))
    return await errors.answer(request, ApiError(error.status_code, message, headers=error.headers))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return await errors.answer(request, errors.invalid(error.errors(), prefix=""))
