"""The OpenAPI document: FastAPI's own, and the paths whose form the manifests decide."""

from typing import Any, Union

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import Field, TypeAdapter, create_model
from pydantic.json_schema import JsonSchemaMode

from app.errors import Problem
from app.gateway import ALWAYS
from app.inference import Error
from app.model import Model
from app.predict import MAX_EXPLAINED
from app.records import MAX_RECORDS, Records
from app.services import Services

SCHEMAS = "#/components/schemas/"
# What is answered instead of a success, and why.
PROBLEMS = {
    400: "The request is not as described, or does not fit the model.",
    401: "The key is missing or wrong.",
    403: "No key is set up.",
    404: "There is no such task, model or job.",
    409: "The trainer does not have the model that is served.",
    413: "The body is too large, or holds too many records.",
    422: "The request is not as described; `details` says where.",
    500: "A fault of the API itself; the log has it.",
    503: "Overloaded, or not ready: try again after `Retry-After` seconds.",
}
Schema = dict[str, Any]
# What every answer says of itself.
IDENTITY: dict[str, Any] = {
    **{"task": (str, ...), "model_version": (int, ...)},
    **{"run_id": (str, ...), "request_id": (str, ...)},
}


def document(app: FastAPI, services: Services) -> Schema:
    """Return the document for the models that are in service now."""
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas: Schema = made["components"]["schemas"]
    for problem in (Problem, Error):
        schemas[problem.__name__] = _schema(problem, schemas)
    served = services.models.served()
    paths: Schema = {}
    if default := served.get(services.settings.default_task):
        paths["/predict"] = _task_paths("/{}", default, schemas)["/predict"]
    for name, model in served.items():
        paths |= _task_paths(f"/{{}}/{name}", model, schemas)
    made["paths"] = paths | made["paths"]
    for path, operations in made["paths"].items():
        for operation in operations.values():
            _document_problems(path, operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return made


def _task_paths(pattern: str, model: Model, schemas: Schema) -> Schema:
    manifest = model.manifest
    example = manifest.golden.request
    paths = {}
    predicts = f"Predict {manifest.target.name}: {manifest.title}"
    explains = f"Say what each feature added: {manifest.title}"
    for verb, most, answer, summary in (
        ("predict", MAX_RECORDS, _prediction(model), predicts),
        ("explain", MAX_EXPLAINED, _explanation(), explains),
    ):
        body = _schema(Union[Records.types(manifest, most)], schemas)
        paths[pattern.format(verb)] = {
            "post": {
                "tags": [verb],
                "summary": summary,
                "description": manifest.description,
                "operationId": "_".join(pattern.format(verb).strip("/").split("/")),
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body, "example": example}},
                },
                "responses": {
                    "200": {
                        "description": "The answer",
                        "content": {"application/json": {"schema": _schema(answer, schemas)}},
                    }
                },
            }
        }
    return paths


def _prediction(model: Model) -> Any:
    """Return the type of an answer: that of one record, or that of a list."""
    name = model.manifest.task.title().replace("_", "")
    identity = dict(IDENTITY)
    one: dict[str, Any] = {"prediction": (float, Field(description="The predicted value."))}
    if model.manifest.target.classes:
        one["prediction"] = (str, Field(description="The most probable class."))
        one["probabilities"] = (dict[str, float], ...)
        one["confidence"] = (float, Field(description="Probability of the predicted class."))
    else:
        identity["unit"] = (str, ...)
    single = create_model(f"{name}Prediction", **identity, **one)
    row = create_model(f"{name}Row", **one)
    many = create_model(f"{name}Predictions", **identity, predictions=(list[row], ...))
    return single | many


def _explanation() -> Any:
    one: dict[str, Any] = {
        "output": (str, Field(description="The target, or the predicted class.")),
        "base_value": (float, Field(description="The mean prediction of the reference sample.")),
        "values": (dict[str, float], Field(description="What each feature added to it.")),
        "sum": (float, Field(description="base_value and all values together.")),
        "prediction": (float, Field(description="The model's output.")),
    }
    row = create_model("Explanation", **one)
    single = create_model("ExplainedRecord", **IDENTITY, **one)
    return single | create_model("ExplainedRecords", **IDENTITY, explanations=(list[row], ...))


def _schema(kind: Any, schemas: Schema, mode: JsonSchemaMode = "validation") -> Schema:
    """Return a type's JSON Schema, the types that it rests on added to `schemas`."""
    made = TypeAdapter(kind).json_schema(ref_template=SCHEMAS + "{model}", mode=mode)
    schemas |= made.pop("$defs", {})
    return made


def _document_problems(path: str, operation: Schema) -> None:
    """Name every answer that is not a success, in the form that it has."""
    responses, v2 = operation["responses"], path.startswith("/v2")
    body, admin = "requestBody" in operation, "security" in operation
    explain, given = path.startswith("/explain"), operation.get("parameters", ())
    checked = any(item["in"] == "query" or "pattern" in item["schema"] for item in given)
    possible = {
        **{400: body and v2, 401: admin, 403: admin, 404: admin or explain or "{" in path},
        **{409: explain, 413: body, 422: (body or checked) and not v2},
        **{500: True, 503: not path.startswith(ALWAYS)},
    }
    form = {"application/json": {"schema": {"$ref": SCHEMAS + ("Error" if v2 else "Problem")}}}
    responses.pop("422", None)
    responses |= {
        str(status): {"description": PROBLEMS[status], "content": form}
        for status, can_be in possible.items()
        if can_be
    }
