"""What `POST /train` is asked for, and which task it is for."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from app.errors import ApiError
from app.serving.model import Model
from app.serving.repository import Models

MAX_ROWS = 100_000
# Only bounded texts are checked for what cannot be sent on: halves of characters.
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


class Strict(BaseModel):
    """A request that may not hold what it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Train(Strict):
    """One algorithm on one data set; without `data`, on the task's own."""

    task: TaskName | None = Field(
        None,
        description=(
            "Without it the one that `data` and `target` fit; without them the default."
        ),
    )
    algorithm: Literal[
        "random_forest", "gradient_boosting", "logistic_regression", "linear_regression"
    ]
    hyperparameters: Parameters = Field(
        default_factory=dict,
        description=(
            "Those of scikit-learn's estimator; without any, those of params.yaml."
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


def task_of(body: Train, models: Models, default: str) -> str:
    """Return the task that a training is for.

    Raises:
        ApiError: 404 if there is no such task; 422 if the data fit no task, or several.
    """
    if body.task is not None or body.data is None:
        return models.get(body.task or default).manifest.task
    served, first = models.served(), body.data[0]
    tasks = [task for task in served if _fits(models, task, first)]
    if len(tasks) > 1 and body.target:
        tasks = [task for task in tasks if _can_be_target(served[task], body.target)]
    if len(tasks) == 1:
        return tasks[0]
    what = f"{len(first)} fields" if isinstance(first, list) else "these fields"
    if tasks:
        message = f"the tasks {', '.join(tasks)} have {what}: name one of them as task"
    else:
        known = "; ".join(
            f"{task} has {_fields(model)}" for task, model in served.items()
        )
        message = f"no task has {what}: {known}"
    raise ApiError(422, f"body.data.0: {message}.")


def parameters_of(body: Train) -> Parameters:
    """Return the hyperparameters, under whichever of their names they came.

    Raises:
        ApiError: 422 if they came under both.
    """
    if body.hyperparameters and body.parameters:
        raise ApiError(
            422, "body: hyperparameters and parameters are the same: send one of them."
        )
    return body.hyperparameters or body.parameters


def _fits(models: Models, task: str, row: list[Any] | dict[str, Any]) -> bool:
    """Tell whether a row has the fields of a task; named ones may have the target among
    them.
    """
    if isinstance(row, dict):
        target = models.get(task).manifest.target.name
        row = {name: value for name, value in row.items() if name != target}
    return task in models.by_fields.tasks_with(row)


def _can_be_target(model: Model, values: list[Any]) -> bool:
    """Tell whether all values are classes of a task, or numbers where it predicts a
    number.
    """
    classes = model.manifest.target.classes
    if not classes:
        return all(isinstance(value, float | int) for value in values)
    known = {*classes, *map(str, range(len(classes)))}
    return all(str(value).removesuffix(".0") in known for value in values)


def _fields(model: Model) -> str:
    return f"the {len(model.records.names)} fields {', '.join(model.records.names)}"
