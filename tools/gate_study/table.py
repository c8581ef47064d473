"""The figures as a table for people."""

from rich.table import Table

from pipeline.publish.reasons import METRICS
from tools.gate_study.figures import POWER, RuleFigures, TaskFigures
from tools.gate_study.on_slices import SliceFigures

# The rows, without those of the smallest gains.
NAMES = [
    "challengers no better: at least one promoted",
    "… promoted in a sequence",
    "… optimism at the end",
    "equally good: at least one promoted",
    "… promoted in a sequence",
    "… optimism at the end",
    "every 50th better: found",
    "… optimism at the end",
    "… optimism of the corrected metric",
]


def of(figures: TaskFigures) -> Table:
    """Return the table of a task, with a column for each rule.

    An optimism is in standard errors of the metric.
    """
    metric = METRICS.get(figures.metric, figures.metric)
    table = Table(
        title=(
            f"{figures.task}: {metric} on {figures.holdout_rows:,} rows,"
            f" {figures.sequences:,} sequences of {figures.pushes:,} pushes"
        ),
        caption=(
            f"standard error of {metric} {figures.standard_error:.3g}, of the"
            f" difference between two models {figures.difference_error:.3g};"
            f" {figures.seconds:.2f} s a decision"
        ),
    )
    table.add_column("")
    columns = [_names(figures)]
    for rule in figures.rules:
        table.add_column(rule.rule, justify="right")
        cells = _cells(rule)
        columns.append(cells)
    for row in zip(*columns, strict=True):
        table.add_row(*row)
    return table


def of_slices(figures: SliceFigures) -> Table:
    """Return the table of a task's slices, with a row for each group."""
    table = Table(
        title=f"slices: {figures.comparisons:,} challengers as good as their champion",
        caption=f"refused for any group: {figures.refused:.1%}",
    )
    headings = ["group", "rows", "refused for it", f"loss noticed at {POWER:.0%}"]
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    for group in figures.groups:
        table.add_row(
            group.name,
            f"{group.rows:,.0f}",
            f"{group.refused:.1%}",
            f"{group.loss:.3g}",
        )
    return table


def _names(figures: TaskFigures) -> list[str]:
    names = list(NAMES)
    for place in figures.rules[0].smallest_gain:
        names.append(f"gain found at {POWER:.0%}, challenger {place:,}")
    return names


def _cells(rule: RuleFigures) -> list[str]:
    cells = []
    for sequences in (rule.no_better, rule.equal):
        cells.append(f"{sequences.with_false_promotion:.1%}")
        cells.append(f"{sequences.false_promotions:.2f}")
        cells.append(f"{sequences.optimism:+.2f}")
    cells.append(f"{rule.gains_found:.0%}")
    cells.append(f"{rule.with_gains.optimism:+.2f}")
    cells.append(f"{rule.with_gains.corrected_optimism:+.2f}")
    for gain in rule.smallest_gain.values():
        cells.append("none" if gain is None else f"{gain:.3g}")
    return cells
