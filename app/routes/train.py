"""`POST /train`: train one algorithm on rows that the client sends."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from typing_extensions import TypeAliasType

from app.dependencies import ServicesDep
from app.errors import ApiError
from app.routes.jobs import RESPONSES, WAIT_SECONDS, FinishedJob, Wait, run_job
from app.security import ADMIN_ONLY
from app.serving.model import Model
from app.serving.repository import ModelRepository
from core.counts import counted
from core.jobs import JobRequest

MAX_ROWS = 100_000
# Only texts with a bound are checked for lone surrogates, which cannot be sent on.
Text = Annotated[str, Field(max_length=1000)]
TaskName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,49}$")]
Parameter = TypeAliasType("Parameter", float | int | Text | bool)
Parameters = dict[Text, Parameter | None]
Cell = TypeAliasType("Cell", float | Text)
TargetValue = TypeAliasType("TargetValue", int | float | Text)
Row = Annotated[list[Cell], Field(max_length=1000)]
NamedRow = dict[Text, Cell]
UnnamedRows = TypeAliasType(
    "UnnamedRows", Annotated[list[Row], Field(min_length=1, max_length=MAX_ROWS)]
)
NamedRows = TypeAliasType(
    "NamedRows", Annotated[list[NamedRow], Field(min_length=1, max_length=MAX_ROWS)]
)
Rows = TypeAliasType("Rows", UnnamedRows | NamedRows)

router = APIRouter(tags=["admin"], dependencies=ADMIN_ONLY)


class StrictModel(BaseModel):
    """A request body that may not have unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Train(StrictModel):
    """One algorithm on one data set; without `data`, on the task's own."""

    task: TaskName | None = Field(
        None,
        description=(
            "If unset, the task that `data` and `target` fit; without them the default."
        ),
    )
    algorithm: Literal[
        "random_forest", "gradient_boosting", "logistic_regression", "linear_regression"
    ]
    hyperparameters: Parameters = Field(
        default_factory=dict,
        description=(
            "Those of scikit-learn's estimator; if unset, those of params.yaml."
        ),
    )
    parameters: Parameters = Field(
        default_factory=dict, description="Another name of `hyperparameters`."
    )
    data: Rows | None = Field(
        None,
        description=(
            "Rows with all features, in their order or by name. With names, the target"
            " may be among them."
        ),
    )
    target: list[TargetValue] | None = Field(
        None,
        min_length=1,
        max_length=MAX_ROWS,
        description=(
            "The target of each row; a class by its name, or by its number from 0."
        ),
    )


@router.post(
    "/train",
    operation_id="train",
    summary="Train a model",
    response_model=FinishedJob,
    responses=RESPONSES,
)
async def train(
    body: Train, request: Request, services: ServicesDep, wait: Wait = WAIT_SECONDS
) -> FinishedJob | Response:
    """Train one algorithm on the rows in the body and log the run to MLflow."""
    training = JobRequest.model_construct(
        kind="train",
        task=task_of(body, services.models),
        algorithm=body.algorithm,
        parameters=parameters_of(body),
        data=body.data,
        target=body.target,
    )
    return await run_job(request, services, training, wait)


def task_of(body: Train, models: ModelRepository) -> str:
    """Return the task to train for.

    Raises:
        ApiError: 404 if there is no such task; 422 if the data fit no task, or several.
    """
    if body.task is not None or body.data is None:
        return models.get(body.task or models.default_task).manifest.task
    served = models.served()
    first_row = body.data[0]
    tasks = [task for task in served if _has_fields(models, task, first_row)]
    if len(tasks) > 1 and body.target:
        target = body.target
        tasks = [task for task in tasks if _can_be_target(served[task], target)]
    if len(tasks) == 1:
        return tasks[0]
    unnamed = isinstance(first_row, list)
    fields = "these fields"
    if unnamed:
        fields = counted(len(first_row), "field")
    if tasks:
        names = ", ".join(tasks)
        message = f"the tasks {names} have {fields}: name one of them as task"
    else:
        descriptions = [_fields(task, model) for task, model in served.items()]
        message = f"no task has {fields}: {'; '.join(descriptions)}"
    raise ApiError(422, f"body.data.0: {message}.")


def parameters_of(body: Train) -> Parameters:
    """Return the hyperparameters, whichever of their two names they have.

    Raises:
        ApiError: 422 if both names are used.
    """
    if body.hyperparameters and body.parameters:
        raise ApiError(
            422, "body: hyperparameters and parameters are the same: send one of them."
        )
    return body.hyperparameters or body.parameters


def _has_fields(
    models: ModelRepository, task: str, row: list[Any] | dict[str, Any]
) -> bool:
    """Return whether a row has a task's fields; with names, maybe the target too."""
    if isinstance(row, dict):
        target = models.get(task).manifest.target.name
        row = {name: value for name, value in row.items() if name != target}
    return task in models.by_fields.tasks_with(row)


def _can_be_target(model: Model, values: list[Any]) -> bool:
    """Return whether all values are classes of a task, or numbers for a regression."""
    classes = model.manifest.target.classes
    if not classes:
        return all(isinstance(value, float | int) for value in values)
    numbers = map(str, range(len(classes)))
    allowed = {*classes, *numbers}
    for value in values:
        name = str(value).removesuffix(".0")
        if name not in allowed:
            return False
    return True


def _fields(task: str, model: Model) -> str:
    names = model.validator.names
    return f"{task} has the {len(names)} fields {', '.join(names)}"
