"""The OpenAPI document: FastAPI's own, and the paths whose form the manifests decide."""

from functools import cache
from typing import Annotated, Any, Union

from fastapi import APIRouter, Body, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import Field, create_model
from pydantic.json_schema import models_json_schema

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
    400: "The body ends too early or is damaged; below /v2 also all that 422 means elsewhere.",
    401: "The key is missing or wrong.",
    403: "No key is set up.",
    404: "There is no such task, model or job.",
    409: "The trainer does not have the model that is served.",
    413: "The body is too large, or holds too many records.",
    415: "The body is compressed or encoded in a way that is not understood.",
    422: "The request is not as described; `details` says where.",
    500: "A fault of the API itself; the log has it.",
    503: "Overloaded, or not ready: try again after `Retry-After` seconds.",
}
SUMMARIES = {
    "predict": "Predict for the task that has the fields of the records",
    "explain": "Explain a prediction of the task that has the fields of the records",
}
ANY_TASK = (
    "The names of the first record's fields decide which task it is for, and in a table without "
    "names how many fields a row has. `task` in the answer says which one it was."
)
MOST = {"predict": MAX_RECORDS, "explain": MAX_EXPLAINED}
Schema = dict[str, Any]
# What every answer says of itself.
IDENTITY: dict[str, Any] = {"task": str, "model_version": int, "run_id": str, "request_id": str}


def document(app: FastAPI, services: Services) -> Schema:
    """Return the document for the models that are in service now."""
    served, asked = services.models.served(), APIRouter()
    for verb in ("predict", "explain"):
        _describe_any(asked, verb, services)
        for name, model in served.items():
            _describe(asked, verb, name, model)
    routes = [*asked.routes, *app.routes]
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=routes
    )
    problems: Any = [(Problem, "validation"), (Error, "validation")]
    _, described = models_json_schema(problems, ref_template=SCHEMAS + "{model}")
    made["components"]["schemas"] |= described["$defs"]
    for path, operations in made["paths"].items():
        for operation in operations.values():
            document_problems(path, operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(unused, None)
    return made


def _describe(asked: APIRouter, verb: str, task: str, model: Model) -> None:
    """Add a task's path that `app.predict` answers, for what it says of itself."""
    manifest = model.manifest
    summary = f"Predict {manifest.target.name}" if verb == "predict" else "Explain a prediction"
    body, answer = Union[Records.types(manifest, MOST[verb])], _answer(verb, model)
    example = {"example": manifest.golden.request}
    about = (f"{summary}: {manifest.title}", manifest.description)
    _add(asked, f"/{verb}/{task}", about, body, answer, example)


def _describe_any(asked: APIRouter, verb: str, services: Services) -> None:
    """Add the path without a task: it takes what only one task can be meant by."""
    served, fields = services.models.served(), services.models.by_fields
    bodies: list[Any] = []
    answers: list[Any] = []
    examples = {}
    for task, model in served.items():
        record, records, table = Records.types(model.manifest, MOST[verb])
        if task in fields.known_by_names:
            bodies += [record, records]
            golden = {"summary": model.manifest.title, "value": model.manifest.golden.request}
            examples[task] = golden
        if task in fields.known_by_length:
            bodies.append(table)
        if task in fields.known_by_names | fields.known_by_length:
            answers.append(_answer(verb, model))
    if not bodies:
        return
    about = (SUMMARIES[verb], ANY_TASK)
    _add(asked, f"/{verb}", about, Union[*bodies], Union[*answers], {"examples": examples})


def _add(
    asked: APIRouter, path: str, about: tuple[str, str], body: Any, answer: Any, shown: Schema
) -> None:
    """Add a path with a summary, a description and examples of its body."""

    def endpoint(body: Any) -> None: ...

    endpoint.__annotations__["body"] = Annotated[body, Body()]
    summary, description = about
    asked.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        tags=[path.split("/")[1]],
        summary=summary,
        description=description,
        operation_id=path.strip("/").replace("/", "_"),
        response_model=answer,
        response_description="The answer",
        openapi_extra={"requestBody": {"content": {"application/json": shown}}},
    )


def _answer(verb: str, model: Model) -> Any:
    return _prediction(model) if verb == "predict" else _explanation()


def _prediction(model: Model) -> Any:
    """Return the type of an answer: that of one record, or that of a list."""
    name = model.manifest.task.title().replace("_", "")
    identity = dict(IDENTITY)
    one: dict[str, Any] = {"prediction": (float, Field(description="The predicted value."))}
    if model.manifest.target.classes:
        one["prediction"] = (str, Field(description="The most probable class."))
        one["probabilities"] = dict[str, float]
        one["confidence"] = (float, Field(description="Probability of the predicted class."))
    else:
        identity["unit"] = str
    single = create_model(f"{name}Prediction", **identity, **one)
    row = create_model(f"{name}Row", **one)
    many = create_model(f"{name}Predictions", **identity, predictions=list[row])
    return single | many


@cache
def _explanation() -> Any:
    """Return the type of an answer, which is the same for every task."""
    one: dict[str, Any] = {
        "output": (str, Field(description="The target, or the predicted class.")),
        "base_value": (float, Field(description="The mean prediction of the reference sample.")),
        "values": (dict[str, float], Field(description="What each feature added to it.")),
        "sum": (float, Field(description="base_value and all values together.")),
        "prediction": (float, Field(description="The model's output.")),
    }
    row = create_model("Explanation", **one)
    single = create_model("ExplainedRecord", **IDENTITY, **one)
    return single | create_model("ExplainedRecords", **IDENTITY, explanations=list[row])


def document_problems(path: str, operation: Schema) -> None:
    """Name every answer that is not a success, in the form that it has."""
    responses, v2 = operation["responses"], path.startswith("/v2")
    body, admin = "requestBody" in operation, "security" in operation
    explain, given = path.startswith("/explain"), operation.get("parameters", ())
    checked = any(item["in"] == "query" or "pattern" in item["schema"] for item in given)
    possible = {
        **{400: body, 401: admin, 403: admin, 404: admin or explain or "{" in path},
        **{409: explain, 413: body, 415: body, 422: (body or checked) and not v2},
        **{500: True, 503: not path.startswith(ALWAYS)},
    }
    form = {"application/json": {"schema": {"$ref": SCHEMAS + ("Error" if v2 else "Problem")}}}
    responses.pop("422", None)
    responses |= {
        str(status): {"description": PROBLEMS[status], "content": form}
        for status, can_be in possible.items()
        if can_be
    }
