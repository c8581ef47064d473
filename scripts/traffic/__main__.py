"""Sends traffic to the API: normal, faulty, slow or drifted."""

import asyncio
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from app.serving.model import ModelError
from core.file_names import MANIFEST
from scripts import commands
from scripts.traffic.population import Population
from scripts.traffic.questions import RATES, Kind, Question, ask
from scripts.traffic.sending import Counts, Unreachable, send

MODELS = Path(__file__).resolve().parents[2] / "deployment" / "models"
SECONDS = 60.0
API = "http://127.0.0.1:8000"
USUAL_RATES = ", ".join(f"{kind} {rate:g}" for kind, rate in RATES.items())


Tasks = Annotated[
    list[str] | None,
    typer.Option(help="Only this task; repeatable.", show_default="all tasks"),
]
Rate = Annotated[
    float | None,
    typer.Option(help="Requests a second.", show_default=USUAL_RATES),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        help="The duration of the traffic.",
        show_default=f"{SECONDS:g}, or until --rows",
    ),
]
Rows = Annotated[
    int | None, typer.Option(help="End after this many records of each task.")
]
Feature = Annotated[
    str | None,
    typer.Option(
        help="The feature that drifts.", show_default="each task's first number"
    ),
]
Shift = Annotated[float, typer.Option(help="The shift in standard deviations.")]
Feedback = Annotated[
    bool, typer.Option("--feedback", help="Also send the ground truth.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")]


def main(
    kind: Annotated[Kind, typer.Argument(help="The kind of requests.")] = (Kind.NORMAL),
    task: Tasks = None,
    rate: Rate = None,
    seconds: Seconds = None,
    rows: Rows = None,
    feature: Feature = None,
    shift: Shift = 1.0,
    feedback: Feedback = False,
    url: Annotated[str, typer.Option(help="The address of the API.")] = API,
    as_json: Json = False,
) -> None:
    """Send requests to the API for some time, and print a summary of the responses.

    normal: records like those that the models were trained on. drifted: the same, with
    one feature shifted. errors: invalid requests. slow: requests with thousands of
    records. Ctrl-C stops it.
    """
    pace = RATES[kind] if rate is None else _positive("--rate", rate)
    if rows is not None:
        _positive("--rows", rows)
    if seconds is not None:
        _positive("--seconds", seconds)
    elif rows is None:
        seconds = SECONDS
    random = np.random.default_rng()
    populations = _populations(task or [], random)
    if kind is Kind.DRIFTED:
        populations = _drift(populations, feature, shift)
    counts = _send(ask(kind, populations, rows, random), url, pace, seconds, feedback)
    print(json.dumps(counts.summary()) if as_json else counts)


def _send(
    questions: Iterator[Question],
    url: str,
    rate: float,
    seconds: float | None,
    feedback: bool,
) -> Counts:
    """Send until the end or Ctrl-C, and return what was sent until then."""
    counts = Counts()
    try:
        asyncio.run(send(url, questions, rate, seconds, feedback, counts))
    except Unreachable as error:
        raise commands.fail(str(error)) from error
    except KeyboardInterrupt:
        pass
    return counts


def _positive(option: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"{value:g} is not above 0", param_hint=option)
    return value


def _populations(names: list[str], random: np.random.Generator) -> list[Population]:
    """Return the populations of some tasks, or of all if none is named.

    Raises:
        typer.Exit: there is no model, or one cannot be used.
        typer.BadParameter: there is no such task.
    """
    paths = MODELS.glob(f"*/{MANIFEST}")
    tasks = sorted(path.parent.name for path in paths)
    if not tasks:
        raise commands.fail(
            f"{MODELS} holds no model to send traffic to: publish the first one with "
            "`python -m pipeline train` and `python -m pipeline publish`."
        )
    for name in names:
        if name not in tasks:
            choice = ", ".join(tasks)
            raise typer.BadParameter(
                f"there is no task {name}: the tasks are {choice}.",
                param_hint="--task",
            )
    try:
        return [Population(MODELS / name, random) for name in names or tasks]
    except ModelError as error:
        reason = f"a model in {MODELS} cannot be used: {error}"
        raise commands.fail(reason) from error


def _drift(
    populations: list[Population], feature: str | None, shift: float
) -> list[Population]:
    """Move the feature in the tasks that have it, and leave the other tasks out."""
    drifting = []
    for population in populations:
        numbers = population.numbers
        if numbers and (feature is None or feature in numbers):
            population.shift(feature or numbers[0], shift)
            drifting.append(population)
    if not drifting:
        numbers = []
        for population in populations:
            names = ", ".join(population.numbers)
            numbers.append(f"{population.task}: {names}")
        choice = "; ".join(numbers)
        raise typer.BadParameter(
            f"no task has a number {feature}. What can drift: {choice}.",
            param_hint="--feature",
        )
    return drifting


if __name__ == "__main__":
    sys.exit(commands.run(main))
