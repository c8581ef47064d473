"""The paths that `app.routes.predict` answers, as the OpenAPI document describes them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.routing import BaseRoute

from app.dependencies import Services
from app.openapi.named_types import union
from app.openapi.task_schemas import answer_types, request_types
from app.serving.model import Model
from app.serving.validation import type_name

SUMMARIES = {
    "predict": "Predict for the task that has the fields of the records",
    "explain": "Explain a prediction of the task that has the fields of the records",
}
ANY_TASK = (
    "The names of the first record's fields decide which task it is for, and in a table"
    " without names how many fields a row has. `task` in the answer says which one it"
    " was."
)


def routes(services: Services) -> list[BaseRoute]:
    """Return the paths for the models that are in service now; they only describe."""
    asked = APIRouter()
    for verb in ("predict", "explain"):
        _describe_any(asked, verb, services)
        for model in services.models.served().values():
            _describe(asked, verb, model)
    return asked.routes


def _describe(asked: APIRouter, verb: str, model: Model) -> None:
    """Add the path of a task."""
    manifest, name = model.manifest, type_name(model.manifest.task)
    if verb == "predict":
        summary, answer_name = f"Predict {manifest.target.name}", f"{name}PredictAnswer"
    else:
        summary, answer_name = "Explain a prediction", "ExplainAnswer"
    request = union(f"{name}{verb.capitalize()}Request", *request_types(verb, model))
    answer = union(answer_name, *answer_types(verb, model))
    about = (f"{summary}: {manifest.title}", manifest.description)
    example = {"example": manifest.golden.request}
    _add(asked, f"/{verb}/{manifest.task}", about, request, answer, example)


def _describe_any(asked: APIRouter, verb: str, services: Services) -> None:
    """Add the path without a task: it takes what only one task can be meant by."""
    served, fields = services.models.served(), services.models.by_fields
    requests: list[Any] = []
    answers: list[Any] = []
    examples = {}
    for task, model in served.items():
        record, records, table = request_types(verb, model)
        if task in fields.known_by_names:
            requests += [record, records]
            golden = {
                "summary": model.manifest.title,
                "value": model.manifest.golden.request,
            }
            examples[task] = golden
        if task in fields.known_by_length:
            requests.append(table)
        if task in fields.known_by_names | fields.known_by_length:
            answers += answer_types(verb, model)
    if not requests:
        return
    name, about = verb.capitalize(), (SUMMARIES[verb], ANY_TASK)
    request, answer = union(f"{name}Request", *requests), union(
        f"{name}Answer", *answers
    )
    _add(asked, f"/{verb}", about, request, answer, {"examples": examples})


def _add(
    asked: APIRouter,
    path: str,
    about: tuple[str, str],
    request: Any,
    answer: Any,
    shown: dict[str, Any],
) -> None:
    """Add a path with a summary, a description and examples of its body."""

    def endpoint(body: Any) -> None: ...

    endpoint.__annotations__["body"] = Annotated[request, Body()]
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
