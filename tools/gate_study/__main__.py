"""Measure how often the gate errs, on the real rows of the tasks, and print the figures.

    nox -s gate-study -- --task credit --holdouts 50

All three tasks take about five minutes on two cores.
"""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from core.errors import PipelineError
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.schema import Task
from scripts import commands
from tools.gate_study import figures, on_slices, pictures, population, table
from tools.gate_study.figures import Simulated, TaskFigures
from tools.gate_study.rules import rules
from tools.gate_study.simulation import CHAMPIONS, Settings, simulate

ROOT = Path(__file__).resolve().parents[2]


def main(
    task: Annotated[
        list[str] | None,
        typer.Option(help="Measure this task alone; repeatable."),
    ] = None,
    holdouts: Annotated[
        int, typer.Option(min=2, help="How many hold-outs to draw.")
    ] = 100,
    pushes: Annotated[
        int, typer.Option(min=1, help="How many pushes look at each hold-out.")
    ] = 1000,
    models: Annotated[
        int, typer.Option(min=2, help="How many models to fit; two make a challenger.")
    ] = 60,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON.")
    ] = False,
    picture_folder: Annotated[
        Path | None,
        typer.Option("--pictures", metavar="DIR", help="Draw two pictures there."),
    ] = None,
) -> None:
    """Measure how often the gate errs; see docs/gate.md."""
    settings = Settings(holdouts, pushes, rules(pushes))
    _require_enough(models, pushes)
    results = []
    simulated: dict[str, Simulated] = {}
    try:
        for name in task or tasks.names():
            one = tasks.load(name)
            of_task, simulated[name] = _study(one, settings, models)
            results.append(of_task)
            if not as_json:
                _print(of_task)
    except PipelineError as error:
        raise commands.fail(str(error), error.exit_status) from error
    if as_json:
        print(json.dumps([asdict(each) for each in results], indent=1))
    if picture_folder:
        pictures.draw(picture_folder, simulated, settings.rules)


def _print(of_task: TaskFigures) -> None:
    console = Console()
    console.print(table.of(of_task))
    if of_task.slices:
        console.print(table.of_slices(of_task.slices))


def _require_enough(models: int, pushes: int) -> None:
    """Refuse fewer models than the pushes need."""
    pairs = models * (models - 1) // 2
    needed = pushes + CHAMPIONS
    if pairs < needed:
        raise commands.fail(
            f"{models} models make {pairs:,} pairs, but {pushes:,} pushes need"
            f" {needed:,}: raise --models.",
            status=2,
        )


def _study(
    task: Task, settings: Settings, models: int
) -> tuple[TaskFigures, Simulated]:
    """Return the figures of a task, and what happened on each hold-out."""
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    with bar:
        fits = bar.add_task(f"Fitting {task.name}", total=models)
        rows = population.fit(
            Repo.open(ROOT), task, models, advance=lambda: bar.advance(fits)
        )
        draws = bar.add_task(f"Pushing {task.name}", total=settings.holdouts)
        simulated = simulate(rows, settings, advance=lambda: bar.advance(draws))
        of_task = figures.of_task(rows, settings, simulated)
        if rows.groups:
            checks = bar.add_task(f"Slices of {task.name}", total=settings.holdouts)
            of_slices = on_slices.study(
                rows, settings, advance=lambda: bar.advance(checks)
            )
            of_task = replace(of_task, slices=of_slices)
    return of_task, simulated


if __name__ == "__main__":
    sys.exit(commands.run(main))
