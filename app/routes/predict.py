"""`POST /predict` and `POST /explain`: the paths whose form is made from the manifests.

`Predict` stands before FastAPI as a plain ASGI application: FastAPI would read every
request twice, once as JSON and once into its own models. What both answer is described
by `app.openapi`.
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

from app import errors, request_body
from app.dependencies import Services, of
from app.errors import ApiError
from app.middleware import send_json
from app.observability.metrics import Asked
from app.serving.model import Model
from app.serving.validation import Record
from core import tracing
from core.asgi import route_path

MAX_EXPLAINED = (
    10  # each takes up to a second, and the trainer explains one after the other
)
# Larger bodies are read and answered on a thread, so that the small ones need not wait
# for them.
LARGE_BYTES = 50_000
Result = TypeVar("Result")


class Predict:
    """Answers `POST /predict` and `POST /predict/{task}`; passes everything else on.

    Without a task in the path the fields of the first record decide which one is meant.
    """

    def __init__(self, services: Services, otherwise: ASGIApp) -> None:
        self.services, self.otherwise = services, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one record with one prediction, a list with a list."""
        services = self.services
        verb, slash, task = route_path(scope)[1:].partition("/")
        here = verb == "predict" and "/" not in task and bool(slash) == bool(task)
        if not here or scope["method"] != "POST":
            tracing.mark(scope)
            limited = request_body.receiver(
                scope, receive, services.settings.max_body_bytes
            )
            await self.otherwise(scope, limited, send)
            return
        scope["route"] = ROUTES[bool(task)]
        tracing.mark(scope)
        try:
            # What fits no task is counted for the default one, so that somebody is
            # alerted to it.
            with services.predicting(task or services.settings.default_task) as asked:
                content = await request_body.read(
                    scope, receive, services.settings.max_body_bytes
                )
                text = await _read_by(self._answer, content, task, scope, asked)
        except Exception as error:
            answer = await errors.answer(Request(scope), error)
            await answer(scope, receive, send)
            return
        await send_json(send, 200, text)

    def _answer(self, content: bytes, task: str, scope: Scope, asked: Asked) -> bytes:
        services, request_id = self.services, scope["request_id"]
        if not task and (found := self._read_as_likely(content)):
            model, records, single = found
            asked.task = scope["task"] = model.manifest.task
        else:
            model = services.models.get(task) if task else services.model_for(content)
            asked.task = scope["task"] = model.manifest.task
            with tracing.span("validation", model.identity):
                records, single = model.records.read(content)
        with tracing.span("inference", model.identity, len(records)):
            predictions = model.predict(records)
        services.note(request_id, model, records, predictions)
        answer = model.identity | {"request_id": request_id}
        if model.manifest.kind == "regression":
            answer["unit"] = model.manifest.target.unit
        return _json(answer, predictions[0] if single else {"predictions": predictions})

    def _read_as_likely(
        self, content: bytes
    ) -> tuple[Model, list[Record], bool] | None:
        """Read a body for the task that it is likely for; return None if it is not
        valid for it.
        """
        models = self.services.models
        task = models.by_fields.likely(content)
        if task is None:
            return None
        model = models.get(task)
        try:
            with tracing.span("validation", model.identity):
                return model, *model.records.read(content)
        except ApiError:
            return None


async def explain(request: Request) -> Response:
    """Say how much each feature added to a prediction: SHAP values, computed by the
    trainer.
    """
    services, request_id = of(request), request.scope["request_id"]
    content, task = await request.body(), request.path_params.get("task")
    model = (
        services.models.get(task)
        if task
        else await _read_by(services.model_for, content)
    )
    request.scope["task"] = model.manifest.task
    records, single = model.records.read(content)
    if len(records) > MAX_EXPLAINED:
        raise ApiError(
            413, f"more than {MAX_EXPLAINED} records: explain them in several requests."
        )
    question = {"sha256": model.manifest.sha256, "records": records}
    with tracing.span("explanation", model.identity, len(records)):
        found = await services.ask_trainer(
            "POST", f"/explain/{model.manifest.task}", question
        )
    answer = model.identity | {"request_id": request_id}
    explanations = found["explanations"]
    more = explanations[0] if single else {"explanations": explanations}
    return Response(_json(answer, more), media_type="application/json")


async def _read_by(read: Callable[..., Result], content: bytes, *more: Any) -> Result:
    """Call a function with a body, on a thread if it is a large one."""
    if len(content) > LARGE_BYTES:
        return await asyncio.to_thread(read, content, *more)
    return read(content, *more)


def _json(answer: dict[str, Any], more: dict[str, Any]) -> bytes:
    return orjson.dumps(answer | more, option=orjson.OPT_SERIALIZE_NUMPY)


async def _elsewhere(request: Request) -> Response:
    raise HTTPException(404)


class KnownRoute(Route):
    """A route that metrics and traces know by its path, as they know FastAPI's own."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for this route, and what is then known of it."""
        match, known = super().matches(scope)
        return match, {**known, "route": self} if known else known


# Those of `Predict` are here for their names in the metrics, and for the answer to
# other methods.
ROUTES = [
    KnownRoute("/predict", _elsewhere, methods=["POST"]),
    KnownRoute("/predict/{task}", _elsewhere, methods=["POST"]),
    KnownRoute("/explain", explain, methods=["POST"]),
    KnownRoute("/explain/{task}", explain, methods=["POST"]),
]
