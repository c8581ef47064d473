"""The paths of predictions and explanations, as the OpenAPI document describes them."""

from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Body
from starlette.routing import BaseRoute

from app.dependencies import Services
from app.openapi.named_types import union
from app.openapi.task_schemas import answer_types, request_types
from app.serving.intervals import PARAMETER
from app.serving.model import Model
from app.serving.validation import type_name
from core.intervals import LEVELS

VERBS: tuple[Literal["predict", "explain"], ...] = ("predict", "explain")
SUMMARIES = {"predict": "Predict", "explain": "Explain a prediction"}
ANY_TASK = (
    "The names of the first record's fields decide which task it is for; for a table"
    " without names it is the number of fields in a row. `task` in the answer names the"
    " task."
)
INTERVAL = {
    "name": PARAMETER,
    "in": "query",
    "required": False,
    "description": (
        "Return with each prediction of a number the bounds between which the true"
        " value lies in so many percent of cases. Models that were trained before there"
        " were intervals, and those that predict a class, answer with the status 422."
    ),
    "schema": {"type": "integer", "enum": list(LEVELS)},
}
Verb = Literal["predict", "explain"]


class Operation(NamedTuple):
    """One path of the document.

    Attributes:
        body: OpenAPI's `example` or `examples` of the request body.
        parameters: OpenAPI's `parameters`, those of the query.
    """

    path: str
    summary: str
    description: str
    request: Any
    answer: Any
    body: dict[str, Any]
    parameters: list[dict[str, Any]]


def routes(services: Services) -> list[BaseRoute]:
    """Return the paths for the models in service now; they only describe."""
    router = APIRouter()
    for verb in VERBS:
        any_task = _any_task_operation(verb, services)
        if any_task:
            _add(router, any_task)
        for model in services.models.served().values():
            _add(router, _task_operation(verb, model))
    return router.routes


def _task_operation(verb: Verb, model: Model) -> Operation:
    """Return the path of one task."""
    manifest = model.manifest
    name = type_name(manifest.task)
    if verb == "predict":
        summary = f"Predict {manifest.target.name}: {manifest.title}"
        answer_name = f"{name}PredictAnswer"
    else:
        summary = f"Explain a prediction: {manifest.title}"
        answer_name = "ExplainAnswer"
    request_name = f"{name}{verb.capitalize()}Request"
    return Operation(
        path=f"/{verb}/{manifest.task}",
        summary=summary,
        description=manifest.description,
        request=union(request_name, *request_types(verb, model)),
        answer=union(answer_name, *answer_types(verb, model)),
        body={"example": manifest.golden.request},
        parameters=_parameters(verb, [model]),
    )


def _any_task_operation(verb: Verb, services: Services) -> Operation | None:
    """Return the path without a task, which takes what only one task can be meant by.

    It is None if there is no such task.
    """
    by_fields = services.models.by_fields
    requests: list[Any] = []
    answers: list[Any] = []
    examples = {}
    models = []
    for task, model in services.models.served().items():
        record, records, table = request_types(verb, model)
        has_own_names = task in by_fields.known_by_names
        has_own_length = task in by_fields.known_by_length
        if has_own_names:
            requests += [record, records]
            golden = model.manifest.golden.request
            examples[task] = {"summary": model.manifest.title, "value": golden}
        if has_own_length:
            requests.append(table)
        if has_own_names or has_own_length:
            models.append(model)
            answers += answer_types(verb, model)
    if not requests:
        return None
    name = verb.capitalize()
    return Operation(
        path=f"/{verb}",
        summary=SUMMARIES[verb],
        description=ANY_TASK,
        request=union(f"{name}Request", *requests),
        answer=union(f"{name}Answer", *answers),
        body={"examples": examples},
        parameters=_parameters(verb, models),
    )


def _parameters(verb: Verb, models: list[Model]) -> list[dict[str, Any]]:
    """Return the parameters of the query: the interval, if a model predicts a number.

    They do not depend on the versions in service, so that clients need not either.
    """
    is_regression = any(model.manifest.kind == "regression" for model in models)
    if verb == "explain" or not is_regression:
        return []
    return [INTERVAL]


def _add(router: APIRouter, operation: Operation) -> None:
    def endpoint(body: Any) -> None: ...

    endpoint.__annotations__["body"] = Annotated[operation.request, Body()]
    names = operation.path.strip("/").split("/")
    router.add_api_route(
        operation.path,
        endpoint,
        methods=["POST"],
        tags=[names[0]],
        summary=operation.summary,
        description=operation.description,
        operation_id="_".join(names),
        response_model=operation.answer,
        response_description="The answer",
        openapi_extra={
            "parameters": operation.parameters,
            "requestBody": {"content": {"application/json": operation.body}},
        },
    )
