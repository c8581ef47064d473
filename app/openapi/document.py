"""The OpenAPI document: FastAPI's own, and the paths whose form the manifests decide.

It is the contract for clients that are made from it: `nox -s clients` makes and tries
some.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.asgi.probes import PROBE_PATHS
from app.dependencies import Services, get_services
from app.errors import Problem
from app.openapi import task_paths
from app.routes.v2_types import InferenceError

SCHEMAS = "#/components/schemas/"
INFO: dict[str, Any] = {
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "contact": {"name": "Those who run this API"},
}
TAGS = {
    "predict": "Predictions of one record or of several.",
    "explain": "What each feature added to a prediction.",
    "overview": "What is here, and how the last hour was.",
    "health": "Probes: they are answered however much else there is to do.",
    "models": "The models in service, their drift and their live quality.",
    "metrics": "Metrics for Prometheus and for people.",
    "admin": (
        "Training, loading and jobs: each needs the key in the header `X-API-Key`."
    ),
    "open inference protocol": (
        "The models as clients of that protocol, version 2, expect them."
    ),
}
# What is answered instead of a success, and why.
PROBLEMS = {
    400: "The request is not HTTP, or its body ends too early or is damaged.",
    401: "The key is missing or wrong.",
    403: (
        "No key is set up; or a web page of another origin asks, or under an unknown"
        " name."
    ),
    404: "There is no such task, model or job.",
    409: "The trainer does not have the model that is served.",
    413: "The body is too large, or holds too many records.",
    415: "The body is compressed or encoded in a way that is not understood.",
    422: (
        "The request is not as described; `details` says where. Or the job cannot be"
        " done."
    ),
    500: "A fault of the API itself, which the log has, or of the job.",
    503: "Overloaded, or not ready: try again after `Retry-After` seconds.",
}
FORMATS = {"integer": "int64", "number": "double"}
Schema = dict[str, Any]


def document(app: FastAPI, services: Services, root_path: str = "") -> Schema:
    """Return the document for the models that are in service now.

    Args:
        root_path: the prefix that the API is reached under.
    """
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[{"url": root_path or "/"}],
        routes=[*task_paths.routes(services), *app.routes],
        **INFO,
    )
    problems: Any = [(Problem, "validation"), (InferenceError, "validation")]
    _, described = models_json_schema(problems, ref_template=SCHEMAS + "{model}")
    made["components"]["schemas"] |= described["$defs"]
    for path, operations in made["paths"].items():
        for operation in operations.values():
            document_problems(path, operation)
            operation.setdefault(
                "security", []
            )  # else it would not be said that none is needed
    for unused in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(unused, None)
    _name_formats([made["components"]["schemas"], made["paths"]])
    return made


def _name_formats(value: Any) -> None:
    """Say of all numbers how large they are: else clients would take milliseconds for
    32 bits.
    """
    if isinstance(value, dict):
        if isinstance(kind := value.get("type"), str) and kind in FORMATS:
            value["format"] = FORMATS[kind]
        for key, inner in value.items():
            if key not in ("example", "examples"):
                _name_formats(inner)
    elif isinstance(value, list):
        for inner in value:
            _name_formats(inner)


def page(request: Request) -> JSONResponse:
    """Answer with the document; its server is the prefix that this request came by."""
    root_path = request.scope.get("root_path", "")
    return JSONResponse(document(request.app, get_services(request), root_path))


ROUTES = [Route("/openapi.json", page)]


def document_problems(path: str, operation: Schema) -> None:
    """Name every answer that is not a success, in the form that it has."""
    responses, v2 = operation["responses"], path.startswith("/v2")
    body, admin = "requestBody" in operation, "security" in operation
    explain, given = path.startswith("/explain"), operation.get("parameters", ())
    checked = any(
        item["in"] == "query" or "pattern" in item["schema"] for item in given
    )
    possible = {
        **{400: True, 401: admin, 403: admin, 404: admin or explain or "{" in path},
        **{
            409: explain,
            413: body,
            415: body or admin,
            422: (body or checked) and not v2,
        },
        **{500: True, 503: not path.startswith(PROBE_PATHS)},
    }
    kind = "InferenceError" if v2 else "Problem"
    form = {"application/json": {"schema": {"$ref": SCHEMAS + kind}}}
    responses.pop("422", None)
    responses |= {
        str(status): {"description": PROBLEMS[status], "content": form}
        for status, can_be in possible.items()
        if can_be
    }
    if v2 and body:
        responses["400"] = responses["400"] | {
            "description": f"{PROBLEMS[400]} {PROBLEMS[422]}"
        }
