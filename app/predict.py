"""`POST /predict` and `POST /explain`: the paths whose form is made from the manifests.

`Predict` stands before FastAPI as a plain ASGI application: FastAPI would read every request twice,
once as JSON and once into its own models. What both answer is described by `app.openapi`.
"""

import asyncio
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors, tracing
from app.errors import ApiError
from app.gateway import send_json
from app.model import Model
from app.services import Services, of

MAX_EXPLAINED = 10  # each takes up to a second, and the trainer explains one after the other
# Larger bodies are read and answered on a thread, so that the small ones need not wait for them.
LARGE_BYTES = 50_000


class Predict:
    """Answers `POST /predict` and `POST /predict/{task}`; passes everything else on."""

    def __init__(self, services: Services, otherwise: ASGIApp) -> None:
        self.services, self.otherwise = services, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one record with one prediction, a list with a list."""
        services = self.services
        verb, slash, task = scope.get("path", "/")[1:].partition("/")
        if verb != "predict" or scope["method"] != "POST" or "/" in task:
            tracing.mark(scope)
            await self.otherwise(scope, self._limited(receive), send)
            return
        scope["route"] = ROUTES[bool(slash)]
        tracing.mark(scope)
        if not slash:
            task = services.settings.default_task
        try:
            with services.predicting(task):
                body = await self._body(receive)
                text = await self._answer(services.models.get(task), body, scope["request_id"])
        except Exception as error:
            answer = await errors.answer(Request(scope), error)
            await answer(scope, receive, send)
            return
        await send_json(send, 200, text)

    def _limited(self, receive: Receive) -> Receive:
        """Return what passes a body on until it is larger than allowed."""
        size, limit = 0, self.services.settings.max_body_bytes

        async def read() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > limit:
                raise ApiError(413, f"the body is larger than {limit:,} bytes.")
            return message

        return read

    async def _body(self, receive: Receive) -> bytes:
        body, more, read = b"", True, self._limited(receive)
        while more:
            message = await read()
            if message["type"] == "http.disconnect":
                raise ApiError(400, "the body ended too early.")
            body += message.get("body", b"")
            more = message.get("more_body", False)
        return body

    async def _answer(self, model: Model, body: bytes, request_id: str) -> bytes:
        if len(body) > LARGE_BYTES:
            return await asyncio.to_thread(self._predict, model, body, request_id)
        return self._predict(model, body, request_id)

    def _predict(self, model: Model, body: bytes, request_id: str) -> bytes:
        with tracing.span("validation", model.identity):
            records, single = model.records.read(body)
        with tracing.span("inference", model.identity, len(records)):
            predictions = model.predict(records)
        self.services.note(request_id, model, records, predictions)
        answer = model.identity | {"request_id": request_id}
        if model.manifest.kind == "regression":
            answer["unit"] = model.manifest.target.unit
        return _json(answer, predictions[0] if single else {"predictions": predictions})


async def explain(request: Request) -> Response:
    """Say how much each feature added to a prediction: SHAP values, computed by the trainer."""
    services, request_id = of(request), request.scope["request_id"]
    model = services.models.get(request.path_params["task"])
    records, single = model.records.read(await request.body())
    if len(records) > MAX_EXPLAINED:
        raise ApiError(413, f"more than {MAX_EXPLAINED} records: explain them in several requests.")
    question = {"sha256": model.manifest.sha256, "records": records}
    with tracing.span("explanation", model.identity, len(records)):
        found = await services.ask_trainer("POST", f"/explain/{model.manifest.task}", question)
    answer = model.identity | {"request_id": request_id}
    explanations = found["explanations"]
    more = explanations[0] if single else {"explanations": explanations}
    return Response(_json(answer, more), media_type="application/json")


def _json(answer: dict[str, Any], more: dict[str, Any]) -> bytes:
    return orjson.dumps(answer | more, option=orjson.OPT_SERIALIZE_NUMPY)


async def _elsewhere(request: Request) -> Response:
    raise HTTPException(404)


# Those of `Predict` are here for their names in the metrics, and for the answer to other methods.
ROUTES = [
    Route("/predict", _elsewhere, methods=["POST"]),
    Route("/predict/{task}", _elsewhere, methods=["POST"]),
    Route("/explain/{task}", explain, methods=["POST"]),
]
