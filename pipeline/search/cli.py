"""The command `pipeline search`."""

from typing import Annotated

import typer
import yaml


def search(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task to search for.")
    ],
    algorithm: Annotated[
        list[str] | None,
        typer.Option(
            help="Search only this algorithm; repeatable.",
            show_default="all in params.yaml",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many trials a study has, with earlier ones.",
            show_default="as in params.yaml",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="How long to search.",
            show_default="as in params.yaml",
        ),
    ] = None,
) -> None:
    """Search hyperparameters; print the best, and put the search into the history."""
    from pipeline import tasks
    from pipeline.search import search as searching

    results = searching.search(context.obj, task, algorithm or [], trials, minutes)
    metric = tasks.load(task).metric.name
    for result in results:
        print(result.sentence(metric))
    best = {result.algorithm: result.best.parameters for result in results}
    print("\nThe best candidates, for params.yaml:")
    print(yaml.safe_dump(best, sort_keys=False), end="")
