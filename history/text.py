"""Lays out runs as text for a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.counts import counted
from history import layout
from history.runfile import Run

COLUMNS = "{:<9} {:<12} {:<12} {:<27} {}"
TITLES = (
    "run",
    "started",
    "experiment",
    "name",
    "result",
)
LINE = "{:<27} {}"
FIELDS = (
    "run_id",
    "experiment",
    "name",
    "parent",
    "status",
    "user",
)
Entry = tuple[str, str]  # a name and a value
SHORT = 8  # characters of a run ID in a table


def run_table(runs: Iterable[Run], versions: Mapping[str, Sequence[str]]) -> str:
    """Return a table of runs, one per line.

    Args:
        versions: what each run was promoted to, by run ID.
    """
    lines = [COLUMNS.format(*TITLES)]
    for run in runs:
        started = layout.time(run.started)
        name = run.name
        if run.parent:
            name = f"└ {name}"
        results = [_result(run)]
        results += versions.get(run.run_id, [])
        line = COLUMNS.format(
            run.run_id[:SHORT],
            f"{started:%m-%d %H:%M}",
            run.experiment,
            name,
            ", ".join(results),
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
    lines = [
        LINE.format("folder", folder),
        LINE.format("promoted as", ", ".join(versions)),
        LINE.format("time", _time(run)),
    ]
    for field in FIELDS:
        value = getattr(run, field) or ""
        lines.append(LINE.format(field, value))
    lines += _section("params", run.params.items())
    lines += _section("metrics", _metrics(run))
    lines += _section("tags", run.tags.items())
    lines += _section("data", _datasets(run))
    lines += ["", "models"]
    for model in run.models:
        files = counted(len(model.artifacts), "file")
        line = f"{model.model_id}  {model.name}, {files}"
        lines.append(line)
    lines += _section("artifacts", _artifacts(run))
    return "\n".join(lines) + "\n"


def _time(run: Run) -> str:
    """Return when a run started, and how long it took."""
    started = layout.time(run.started)
    duration = "not ended"
    if run.ended is not None:
        seconds = (run.ended - run.started) / 1000
        duration = f"{seconds:.1f} s"
    return f"{started:%Y-%m-%d %H:%M} UTC, {duration}"


def _section(title: str, entries: Iterable[Entry]) -> list[str]:
    lines = ["", title]
    for name, value in entries:
        lines.append(LINE.format(name, value))
    return lines


def _metrics(run: Run) -> Iterator[Entry]:
    """Yield the last value of each metric, and how many points it has."""
    for name, points in run.metrics.items():
        text = str(run.latest(name))
        if len(points) > 1:
            text += f"  ({len(points)} points)"
        yield name, text


def _datasets(run: Run) -> Iterator[Entry]:
    for dataset in run.datasets:
        description = f"{dataset.digest}  {dataset.source}"
        yield dataset.name, description


def _artifacts(run: Run) -> Iterator[Entry]:
    for file in run.artifacts:
        digest = file.sha256[:12]
        description = f"{file.size:,} bytes  {digest}"
        yield file.path, description
