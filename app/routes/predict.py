"""`POST /predict` and `POST /predict/{task}`, answered before FastAPI's own layers.

FastAPI would read every request twice: once as JSON and once into its own models. The
form of requests and answers comes from the manifests; `app.openapi` describes it.

The price of each layer, in µs of processor time for a request with one row of housing,
in process, without a server (the fastest tenth of 80 rounds of 100 requests; only the
ratios hold on other machines):

| variant                                                               |  µs |
|-----------------------------------------------------------------------|----:|
| an empty endpoint of FastAPI, nothing around it                       |  89 |
| `Predict` alone: validation, ONNX Runtime, prediction log, metrics    | 136 |
| the application, `Predict` before FastAPI: no span if traced          | 205 |
| the application as it is: `Predict` within FastAPI, before its layers | 209 |
| the same code as a route of Starlette, as `/explain` is               | 268 |
| the same code as an endpoint of FastAPI that takes the request        | 364 |
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.asgi import request_body
from app.asgi.responses import send_json
from app.dependencies import Services
from app.errors import ApiError, error_response
from app.observability.prediction_log import record_predictions
from app.observability.prediction_timer import PredictionTimer
from app.serving.intervals import add_intervals, requested_level
from app.serving.model import Model
from app.serving.validation import Record
from core import tracing
from core.asgi import route_path

# Larger bodies are handled in a thread, so that small ones need not wait for them.
LARGE_BYTES = 50_000
Result = TypeVar("Result")
Parsed = tuple[Model, list[Record], bool]


class Predict:
    """Middleware that answers predictions and passes everything else on.

    Without a task in the path, the fields of the first record decide which one is meant.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one record with one prediction, a list with a list."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.services.settings.max_body_bytes
        task = _requested_task(scope)
        if task is None:
            tracing.mark(scope)
            limited = request_body.receiver(scope, receive, limit)
            await self.app(scope, limited, send)
            return
        scope["route"] = PREDICT_TASK if task else PREDICT
        tracing.mark(scope)
        try:
            # What fits no task is counted for the default one, so that there is an
            # alert for it.
            name = task or self.services.models.default_task
            with track_prediction(self.services, name) as tracked:
                content = await request_body.read(scope, receive, limit)
                answer = await in_thread_if_large(
                    self._answer, content, task, scope, tracked
                )
        except Exception as error:
            response = await error_response(Request(scope), error)
            await response(scope, receive, send)
            return
        await send_json(send, 200, answer)

    def _answer(
        self, content: bytes, task: str, scope: Scope, tracked: PredictionTimer
    ) -> bytes:
        models = self.services.models
        parsed = None if task else self._parse_as_likely(content)
        if parsed:
            model, records, single = parsed
            tracked.task = scope["task"] = model.manifest.task
        else:
            model = models.get(task) if task else models.model_for(content)
            tracked.task = scope["task"] = model.manifest.task
            with tracing.span("validation", model.identity):
                records, single = model.validator.parse(content)
        level = requested_level(scope["query_string"], model)
        with tracing.span("inference", model.identity, len(records)):
            predictions = model.predict(records)
        request_id = scope["request_id"]
        record_predictions(
            self.services.predictions, request_id, model, records, predictions
        )
        if level is not None:
            predictions = add_intervals(model, level, predictions)
        answer = model.identity | {"request_id": request_id}
        if model.manifest.kind == "regression":
            answer["unit"] = model.manifest.target.unit
        return to_json(
            answer | (predictions[0] if single else {"predictions": predictions})
        )

    def _parse_as_likely(self, content: bytes) -> Parsed | None:
        """Parse a body for its likely task; return None if it is not valid for that."""
        models = self.services.models
        task = models.by_fields.likely(content)
        if task is None:
            return None
        model = models.get(task)
        try:
            with tracing.span("validation", model.identity):
                records, single = model.validator.parse(content)
        except ApiError:
            return None
        return model, records, single


def track_prediction(services: Services, task: str) -> PredictionTimer:
    """Return a timer of a request for predictions; it counts why there were none.

    Tasks that do not exist share one name: clients can think up any number of them.
    """
    is_served = task in services.models.tasks
    return PredictionTimer(services.metrics, task if is_served else "unknown")


async def in_thread_if_large(
    function: Callable[..., Result], content: bytes, *arguments: Any
) -> Result:
    """Call a function with a body and more arguments, in a thread for a large body."""
    if len(content) > LARGE_BYTES:
        return await asyncio.to_thread(function, content, *arguments)
    return function(content, *arguments)


def to_json(answer: dict[str, Any]) -> bytes:
    """Render an answer, which may hold values of NumPy."""
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def _requested_task(scope: Scope) -> str | None:
    """Return the task in the path, empty if it names none; None for other requests."""
    if scope["method"] != "POST":
        return None
    path = route_path(scope)
    if path == "/predict":
        return ""
    prefix, _, task = path.rpartition("/")
    return task or None if prefix == "/predict" else None


async def _not_found(request: Request) -> Response:
    raise HTTPException(404)


class NamedRoute(Route):
    """A route that metrics and traces know by its path, as they know FastAPI's own."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for this route, and which scope it then has."""
        match, child_scope = super().matches(scope)
        if child_scope:
            child_scope = {**child_scope, "route": self}
        return match, child_scope


# `Predict` answers what these routes describe. They give it names for the metrics, and
# answer other methods with 405.
PREDICT = NamedRoute("/predict", _not_found, methods=["POST"])
PREDICT_TASK = NamedRoute("/predict/{task}", _not_found, methods=["POST"])
ROUTES = [PREDICT, PREDICT_TASK]
