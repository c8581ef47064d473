"""`pipeline stage`: what `dvc repro` runs, one stage of one task at a time."""

from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UsageError
from pipeline import tasks

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.repo import Repo

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="TASK", help="The task.")]


@app.callback()
def options() -> None:
    """Run one stage of a task's training; `dvc.yaml` lists them."""


@app.command()
def prepare(context: typer.Context, task: Name) -> None:
    """Fetch the task's table, and check every row."""
    from pipeline.stages.prepare import run

    print(run(context.obj, tasks.load(task)))


@app.command()
def features(context: typer.Context, task: Name) -> None:
    """Choose the features, and hold out the rows for judging."""
    settings = _settings(context.obj, task)
    from pipeline.stages.features import run

    print(run(context.obj, tasks.load(task), settings))


@app.command()
def train(context: typer.Context, task: Name) -> None:
    """Fit, cross-validate and export every candidate."""
    settings = _settings(context.obj, task)
    from pipeline.stages.train import run

    print(run(context.obj, tasks.load(task), settings))


@app.command()
def evaluate(context: typer.Context, task: Name) -> None:
    """Choose the challenger, and measure it on the rows held out."""
    settings = _settings(context.obj, task)
    from pipeline.stages.evaluate import run

    print(run(context.obj, tasks.load(task), settings))


@app.command()
def validate(context: typer.Context, task: Name) -> None:
    """Check the challenger as the gate will, but without a champion."""
    from pipeline.stages.validate import run

    print(run(context.obj, tasks.load(task)))


@app.command()
def register(context: typer.Context, task: Name) -> None:
    """Record the training as MLflow runs, and write the task's bundle."""
    settings = _settings(context.obj, task)
    from pipeline.stages.register import run

    print(run(context.obj, tasks.load(task), settings))


def _settings(repo: "Repo", task: str) -> "Params":
    """Return `params.yaml` before anything that takes long to import.

    Raises:
        UsageError: it is wrong, there is no such task, or it has no section for it.
    """
    from pipeline.train.settings import load

    tasks.load(task)
    settings = load(repo)
    if task not in settings.tasks:
        raise UsageError(
            f"params.yaml: tasks.{task}: is missing; give the task a section."
        )
    return settings
