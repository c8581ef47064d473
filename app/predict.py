"""`POST /predict` and `POST /explain`: the paths whose form is made from the manifests.

They are plain Starlette routes: FastAPI would read every request twice, once as JSON and once into
its own models. Their description in the OpenAPI document is made by `app.openapi`.
"""

import asyncio
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.errors import ApiError
from app.model import Model, Prediction
from app.records import Record
from app.services import Services, of

MAX_EXPLAINED = 100
# Larger bodies are read and answered on a thread, so that the small ones need not wait for them.
LARGE_BYTES = 50_000


async def predict(request: Request) -> Response:
    """Answer one record with one prediction, a list with a list."""
    services, request_id = of(request), request.scope["request_id"]
    model, body = _model(request, services), await request.body()
    if len(body) > LARGE_BYTES:
        records, predictions, single = await asyncio.to_thread(_answer, model, body)
    else:
        records, predictions, single = _answer(model, body)
    services.predictions.add(request_id, model, records, predictions)
    services.metrics.count(model, predictions)
    answer = model.identity | {"request_id": request_id}
    if model.manifest.kind == "regression":
        answer["unit"] = model.manifest.target.unit
    return _json(answer | (predictions[0] if single else {"predictions": predictions}))


async def explain(request: Request) -> Response:
    """Say how much each feature added to a prediction: SHAP values, computed by the trainer."""
    services, request_id = of(request), request.scope["request_id"]
    model = _model(request, services)
    records, single = model.records.read(await request.body())
    if len(records) > MAX_EXPLAINED:
        raise ApiError(413, f"more than {MAX_EXPLAINED} records: explain them in several requests.")
    question = {"sha256": model.manifest.sha256, "records": records}
    found = await services.ask_trainer("POST", f"/explain/{model.manifest.task}", question)
    explanations = found["explanations"]
    answer = model.identity | {"request_id": request_id}
    return _json(answer | (explanations[0] if single else {"explanations": explanations}))


def _model(request: Request, services: Services) -> Model:
    return services.models.get(request.path_params.get("task", services.settings.default_task))


def _answer(model: Model, body: bytes) -> tuple[list[Record], list[Prediction], bool]:
    records, single = model.records.read(body)
    return records, model.predict(records), single


def _json(content: dict[str, Any]) -> Response:
    text = orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(text, media_type="application/json")


class Hot(Route):
    """A route that says which one it is, for the metrics."""

    def matches(self, scope: Any) -> Any:
        """Match as Starlette does, and name the route."""
        match, child = super().matches(scope)
        return match, child | {"route": self}


ROUTES = [
    Hot("/predict/{task}", predict, methods=["POST"]),
    Hot("/predict", predict, methods=["POST"]),
    Hot("/explain/{task}", explain, methods=["POST"]),
]
