"""The figures as a table for people."""

from collections.abc import Callable

from rich.table import Table

from pipeline.publish.reasons import METRICS
from tools.gate_study.figures import POWER, RuleFigures, TaskFigures

Cell = Callable[[RuleFigures], str]


def of(figures: TaskFigures) -> Table:
    """Return the table of a task, with a column for each rule."""
    metric = METRICS.get(figures.metric, figures.metric)
    title = (
        f"{figures.task}: {metric} on {figures.holdout_rows:,} rows,"
        f" {figures.sequences:,} sequences of {figures.pushes:,} pushes"
    )
    table = Table(title=title)
    table.add_column("")
    for rule in figures.rules:
        table.add_column(rule.rule, justify="right")
    for name, cell in _rows(figures):
        cells = [cell(rule) for rule in figures.rules]
        table.add_row(name, *cells)
    table.caption = (
        f"standard error of {metric}: {figures.standard_error:.3g}, of the difference"
        f" between two models: {figures.difference_error:.3g};"
        f" {figures.seconds:.2g} s a decision"
    )
    return table


def _rows(figures: TaskFigures) -> list[tuple[str, Cell]]:
    rows: list[tuple[str, Cell]] = [
        (
            "sequences with a false promotion",
            lambda rule: f"{rule.with_false_promotion:.1%}",
        ),
        (
            "false promotions in a sequence",
            lambda rule: f"{rule.false_promotions:.2f}",
        ),
        (
            "optimism without true gains, standard errors",
            lambda rule: f"{rule.optimism:+.2f}",
        ),
        (
            "optimism with true gains, standard errors",
            lambda rule: f"{rule.optimism_with_gains:+.2f}",
        ),
        ("true gains found", lambda rule: f"{rule.gains_found:.0%}"),
    ]
    for place in figures.rules[0].smallest_gain:
        name = f"smallest gain found at {POWER:.0%}, challenger {place:,}"
        rows.append((name, _smallest_gain(place)))
    return rows


def _smallest_gain(place: int) -> Cell:
    """Return the cell of the smallest gain at a place."""
    return lambda rule: f"{rule.smallest_gain[place]:.3g}"
