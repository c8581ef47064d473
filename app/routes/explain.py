"""`POST /explain` and `POST /explain/{task}`: SHAP values, computed by the worker."""

from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import get_services
from app.errors import ApiError
from app.routes.predict import NamedRoute, in_thread_if_large, to_json
from core import tracing

# Each takes up to a second, and the worker explains one request after the other.
MAX_EXPLAINED = 10


async def explain(request: Request) -> Response:
    """Return the contribution of each feature to a prediction."""
    services = get_services(request)
    models = services.models
    content = await request.body()
    task = request.path_params.get("task")
    if task:
        model = models.get(task)
    else:
        model = await in_thread_if_large(models.model_for, content)
    name = request.scope["task"] = model.manifest.task
    records, single = model.validator.parse(content)
    if len(records) > MAX_EXPLAINED:
        raise ApiError(
            413, f"more than {MAX_EXPLAINED} records: explain them in several requests."
        )
    question = {"sha256": model.manifest.sha256, "records": records}
    with tracing.span("explanation", model.identity, len(records)):
        answer = await services.worker.post(f"/explain/{name}", question)
    explanations = answer["explanations"]
    identity = model.identity | {"request_id": request.scope["request_id"]}
    more = explanations[0] if single else {"explanations": explanations}
    return Response(to_json(identity | more), media_type="application/json")


ROUTES = [
    NamedRoute("/explain", explain, methods=["POST"]),
    NamedRoute("/explain/{task}", explain, methods=["POST"]),
]
