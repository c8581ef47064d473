"""Lays out runs as text for a terminal."""

from collections.abc import Iterable, Mapping, Sequence

from history import layout
from history.runfile import Run

COLUMNS = "{:<9} {:<12} {:<12} {:<27} {}"
LINE = "{:<27} {}"
SHORT = 8  # characters of a run ID in a table


def run_table(runs: Iterable[Run], versions: Mapping[str, Sequence[str]]) -> str:
    """Return a table of runs, one per line.

    Args:
        versions: what each run was promoted to, by run ID.
    """
    lines = [COLUMNS.format("run", "started", "experiment", "name", "result")]
    for run in runs:
        result = ", ".join([_result(run), *versions.get(run.run_id, [])])
        line = COLUMNS.format(
            run.run_id[:SHORT],
            f"{layout.time(run.started):%m-%d %H:%M}",
            run.experiment,
            f"└ {run.name}" if run.parent else run.name,
            result,
        )
        lines.append(line)
    return "\n".join(lines) + "\n"


def _result(run: Run) -> str:
    """Return the metric by which a run was evaluated, else the decision or status."""
    value = run.latest(f"holdout_{run.judged_by}")
    if value is not None:
        return f"{run.judged_by} {value:.4f}"
    return run.tags.get("gate") or run.status


def run_page(
    run: Run,
    folder: str,
    versions: Sequence[str],
) -> str:
    """Return all of one run, section by section.

    Args:
        folder: where the run's files lie.
        versions: what the run was promoted to.
    """
    started = layout.time(run.started)
    duration = "not ended"
    if run.ended is not None:
        duration = f"{(run.ended - run.started) / 1000:.1f} s"
    lines = [
        LINE.format("folder", folder),
        LINE.format("promoted as", ", ".join(versions)),
        LINE.format("time", f"{started:%Y-%m-%d %H:%M} UTC, {duration}"),
    ]
    for field in ("run_id", "experiment", "name", "parent", "status", "user"):
        lines.append(LINE.format(field, getattr(run, field) or ""))
    lines += _section("params", run.params)
    lines += _section("metrics", _metrics(run))
    lines += _section("tags", run.tags)
    lines += ["", "data"]
    for data in run.datasets:
        lines.append(LINE.format(data.name, f"{data.digest}  {data.source}"))
    lines += ["", "models"]
    for model in run.models:
        count = len(model.artifacts)
        lines.append(f"{model.model_id}  {model.name}, {count} files")
    lines += ["", "artifacts"]
    for file in run.artifacts:
        size = f"{file.size:,} bytes  {file.sha256[:12]}"
        lines.append(LINE.format(file.path, size))
    return "\n".join(lines) + "\n"


def _section(title: str, values: Mapping[str, object]) -> list[str]:
    lines = ["", title]
    for name, value in values.items():
        lines.append(LINE.format(name, value))
    return lines


def _metrics(run: Run) -> dict[str, str]:
    """Return the last value of each metric, and how many points it has."""
    values = {}
    for name, points in run.metrics.items():
        text = str(run.latest(name))
        if len(points) > 1:
            text += f"  ({len(points)} points)"
        values[name] = text
    return values
