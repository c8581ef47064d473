"""Prints a comparison: tables with lines in a terminal, plain columns elsewhere."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.counts import counted
from pipeline.compare.comparison import (
    ChangedPrediction,
    Comparison,
    Entry,
    Measured,
    MetricEntry,
    Prediction,
    Predictions,
    Side,
    Value,
)

# Wide enough that no cell is broken in a file or a pipe.
PLAIN_WIDTH = 1000
SHOWN_DIGEST = 12
# How the names of entries begin whose values are shortened.
DIGESTS = ("digest", "commit")
NONE = "-"


def new_console() -> Console:
    """Return the console of standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    return console


def show(console: Console, comparison: Comparison) -> None:
    """Print a comparison, section by section; equal values are only counted."""
    _line(console, comparison.task, "bold")
    _line(console, f"A is {describe(comparison.a)}")
    _line(console, f"B is {describe(comparison.b)}")
    _show_entries(console, "Parameters", comparison.parameters)
    _show_entries(console, "Data", comparison.data)
    _show_entries(console, "Made with", comparison.made_with)
    _show_metrics(console, comparison.metrics)
    _line(console, "")
    if comparison.predictions:
        _line(console, summary(comparison.predictions))
        _show_predictions(console, comparison.predictions.most)
    else:
        _line(console, f"Predictions were not compared: {comparison.no_predictions}.")


def describe(side: Side) -> str:
    """Return a side in one line."""
    parts = [
        f"{side.title}: {side.algorithm}",
        f"run {side.run_id}",
        side.day,
    ]
    if side.commit:
        commit = side.commit[:SHOWN_DIGEST]
        parts.append(f"commit {commit}")
    return ", ".join(parts)


def number(value: Value) -> str:
    """Return a number with the digits that matter, and a text as it is."""
    if isinstance(value, str):
        return value
    return f"{value:.6g}"


def predicted(prediction: Prediction) -> str:
    """Return a prediction: a value, or a class with its probability."""
    value = number(prediction.value)
    if prediction.probability is None:
        return value
    return f"{value} ({prediction.probability:.3g})"


def measured(metric: Measured | None) -> str:
    """Return a metric with its interval."""
    if metric is None:
        return NONE
    value = number(metric.value)
    if metric.low is None or metric.high is None:
        return value
    return f"{value} ({metric.low:.4g} to {metric.high:.4g})"


def short(entry: Entry) -> tuple[str, str]:
    """Return both values of an entry, digests and commits with their first characters."""
    a = NONE if entry.a is None else entry.a
    b = NONE if entry.b is None else entry.b
    if entry.name.startswith(DIGESTS):
        a = a[:SHOWN_DIGEST]
        b = b[:SHOWN_DIGEST]
    return a, b


def summary(predictions: Predictions) -> str:
    """Return in a sentence how many predictions changed."""
    text = (
        f"{predictions.changed} of {predictions.rows} predictions for the rows held out"
        f" changed; the mean change of all is {predictions.mean_change:.3g}"
    )
    if predictions.other_class is not None:
        rows = counted(predictions.other_class, "row gets", "rows get")
        text += f", and {rows} another class"
    if predictions.note:
        text += f" ({predictions.note})"
    return f"{text}."


def features(row: ChangedPrediction) -> str:
    """Return the features of a row in one line."""
    parts = []
    for name, value in row.features.items():
        text = number(value)
        parts.append(f"{name} {text}")
    return ", ".join(parts)


class _Table:
    """A table of the rows that differ; of the others only the number is shown."""

    def __init__(self, console: Console, title: str, columns: Sequence[str]) -> None:
        self._console = console
        self._title = title
        self._equal = 0
        self._table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        if console.is_terminal:
            self._table = Table(box=box.SIMPLE_HEAD)
        for column in columns:
            self._table.add_column(column, overflow="fold")

    def add(self, cells: Sequence[str]) -> None:
        """Add a row."""
        # Texts, because a cell may have square brackets.
        texts = [Text(cell) for cell in cells]
        self._table.add_row(*texts)

    def count(self) -> None:
        """Count a row of equal values."""
        self._equal += 1

    def show(self) -> None:
        """Print the table below its title."""
        _line(self._console, "")
        _line(self._console, self._title, "bold")
        if self._table.rows:
            self._console.print(self._table)
        if self._equal:
            _line(self._console, f"values that are equal: {self._equal}")


def _line(console: Console, text: str, style: str = "") -> None:
    line = Text(text, style)
    console.print(line, soft_wrap=True)


def _show_entries(console: Console, title: str, entries: list[Entry]) -> None:
    table = _Table(console, title, ["", "A", "B"])
    for entry in entries:
        if not entry.differs:
            table.count()
            continue
        a, b = short(entry)
        table.add([entry.name, a, b])
    table.show()


def _show_metrics(console: Console, metrics: list[MetricEntry]) -> None:
    table = _Table(console, "Metrics", ["", "A", "B", "B - A", "better"])
    for entry in metrics:
        if not entry.differs:
            table.count()
            continue
        change = NONE
        if entry.change is not None:
            change = f"{entry.change:+.4g}"
        cells = [
            entry.name,
            measured(entry.a),
            measured(entry.b),
            change,
            entry.better.upper(),
        ]
        table.add(cells)
    table.show()


def _show_predictions(console: Console, rows: list[ChangedPrediction]) -> None:
    if not rows:
        return
    columns = ["truth", "A", "B", "change", "row"]
    table = _Table(console, "Those that changed most", columns)
    for row in rows:
        cells = [
            number(row.truth),
            predicted(row.a),
            predicted(row.b),
            f"{row.change:+.4g}",
            features(row),
        ]
        table.add(cells)
    table.show()
