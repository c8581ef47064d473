"""The OpenAPI document: FastAPI's own, and the paths whose form the manifests decide.

It is the contract for generated clients: `nox -s clients` generates and tries some.
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
from app.errors import PROBLEM_JSON, Problem
from app.openapi import task_paths
from app.routes.v2_types import InferenceError

SCHEMAS = "#/components/schemas/"
INFO: dict[str, Any] = {
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "contact": {"name": "The operators of this API"},
}
TAGS = {
    "predict": "Predictions for one record or for several.",
    "explain": "How much each feature added to a prediction.",
    "overview": "What this server offers, a page to try it, and the traffic of the last hour.",
    "health": "Probes, which are answered at once however many requests wait.",
    "models": "The models in service, their drift and their online metrics.",
    "metrics": "Metrics for Prometheus and for people.",
    "admin": "Training, loading and jobs; they need the header `X-API-Key`.",
    "open inference protocol": (
        "The models for clients of the Open Inference Protocol, version 2."
    ),
}
# Responses other than success, and their reasons.
PROBLEMS = {
    400: "The request is not HTTP, or its body ends too early or is damaged.",
    401: "The key is missing or wrong.",
    403: (
        "No key is configured; or the request comes from a web page of another origin,"
        " or has an unknown host name."
    ),
    404: "There is no such task, model or job.",
    409: "The worker does not have the model that is served.",
    413: "The body is too large, or holds too many records.",
    415: "The body is compressed or encoded in a way that is not supported.",
    422: (
        "The request is not as described; `errors` lists the faults. Or the job cannot"
        " be done."
    ),
    500: "A fault of the API itself, which is in its log, or of the job.",
    503: "Overloaded, or not ready: try again after `Retry-After` seconds.",
}
FORMATS = {"integer": "int64", "number": "double"}
# FastAPI's own forms of errors, which are not used here.
UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")
Schema = dict[str, Any]


def create_document(app: FastAPI, services: Services, root_path: str = "") -> Schema:
    """Return the document for the models that are in service now.

    Args:
        root_path: the prefix that the API is reached under.
    """
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[{"url": root_path or "/"}],
        routes=[*task_paths.routes(services), *app.routes],
        **INFO,
    )
    schemas = document["components"]["schemas"]
    schemas |= _error_schemas()
    for name in UNUSED_SCHEMAS:
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            document_problems(path, operation)
            # Without it the document would not say that no key is needed.
            operation.setdefault("security", [])
    _name_formats(schemas)
    _name_formats(document["paths"])
    return document


def document_problems(path: str, operation: Schema) -> None:
    """Add to an operation every response other than success, with its schema."""
    is_v2 = path.startswith("/v2")
    if is_v2:
        content = {"application/json": {"schema": {"$ref": SCHEMAS + "InferenceError"}}}
    else:
        content = {PROBLEM_JSON: {"schema": {"$ref": SCHEMAS + "Problem"}}}
    responses = operation["responses"]
    statuses = _problem_statuses(path, operation)
    responses.pop("422", None)
    for status in statuses:
        responses[str(status)] = {"description": PROBLEMS[status], "content": content}
    if is_v2 and "requestBody" in operation:
        # The protocol has no 422.
        description = f"{PROBLEMS[400]} {PROBLEMS[422]}"
        responses["400"] = {"description": description, "content": content}


def _problem_statuses(path: str, operation: Schema) -> list[int]:
    """Return the statuses other than success that an operation can have."""
    has_body = "requestBody" in operation
    needs_key = "security" in operation
    is_explain = path.startswith("/explain")
    has_404 = needs_key or is_explain or "{" in path
    statuses = [400]
    if needs_key:
        statuses += [401, 403]
    if has_404 or "404" in operation["responses"]:
        statuses.append(404)
    if is_explain:
        statuses.append(409)
    if has_body:
        statuses.append(413)
    if has_body or needs_key:
        statuses.append(415)
    if not path.startswith("/v2") and (has_body or _has_checks(operation)):
        statuses.append(422)
    statuses.append(500)
    if not path.startswith(PROBE_PATHS):
        statuses.append(503)
    return statuses


def _has_checks(operation: Schema) -> bool:
    """Return whether a parameter of an operation can be invalid."""
    parameters = operation.get("parameters", ())
    return any(
        parameter["in"] == "query" or "pattern" in parameter["schema"]
        for parameter in parameters
    )


def _error_schemas() -> Schema:
    models: Any = [(Problem, "validation"), (InferenceError, "validation")]
    _, described = models_json_schema(models, ref_template=SCHEMAS + "{model}")
    schemas: Schema = described["$defs"]
    return schemas


def _name_formats(value: Any) -> None:
    """Give every number a format, or clients would use 32 bits for milliseconds."""
    if isinstance(value, list):
        for item in value:
            _name_formats(item)
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    if isinstance(kind, str) and kind in FORMATS:
        value["format"] = FORMATS[kind]
    for key, item in value.items():
        if key not in ("example", "examples"):
            _name_formats(item)


def get_document(request: Request) -> JSONResponse:
    """Answer with the document; its server is the prefix that the request came by."""
    root_path = request.scope.get("root_path", "")
    document = create_document(request.app, get_services(request), root_path)
    return JSONResponse(document)


ROUTES = [Route("/openapi.json", get_document)]
