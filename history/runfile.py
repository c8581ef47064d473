"""The format of `run.json`: all that MLflow knows about one run, as readable text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from core.errors import PipelineError
from core.files import to_json
from history.record import Artifacts, ModelId, Record, RunId

FORMAT = 1
RESTORE = "`history verify` says how to restore it"
EDITED = "was edited: this program would write it otherwise"
FOLD = "fold_"  # starts the name of a metric of cross-validation

# The value, milliseconds after the start, and the step. In JSON not-a-number is the text
# "NaN".
Point = tuple[float, int, int]

Kind = TypeVar("Kind", bound=Record)


class Dataset(Record):
    """A data set that was an input of a run, as MLflow describes it."""

    name: str
    digest: str
    source_type: str
    source: str
    data_schema: str | None = Field(alias="schema")
    profile: str | None
    tags: dict[str, str]


class ModelMetric(Record):
    """One metric value that MLflow ties to a logged model."""

    key: str
    value: float
    timestamp: int
    step: int
    run_id: RunId | None
    dataset_name: str | None
    dataset_digest: str | None


class ModelSummary(Record, extra="ignore"):
    """The part of a logged model that identifies it."""

    model_id: ModelId


class LoggedModel(ModelSummary, extra="forbid"):
    """A model that the run logged; its files lie in the run's `models/<model_id>/`.

    The digests stay when the files of a model that was never promoted are deleted.
    """

    model_id: ModelId
    name: str
    type: str | None
    status: str
    status_message: str | None
    created: int
    updated: int
    params: dict[str, str]
    tags: dict[str, str]
    metrics: list[ModelMetric]
    artifacts: Artifacts


class ModelOutput(Record):
    """The step at which a run produced a logged model."""

    model_id: ModelId
    step: int


class RunSummary(Record, extra="ignore"):
    """The part of a run that reports show; it is read faster than the whole run.

    `started` is in milliseconds since the epoch, UTC.
    """

    format: Literal[1]
    run_id: RunId
    experiment: str = Field(min_length=1)
    parent: RunId | None
    started: int
    params: dict[str, str]
    metrics: dict[str, list[Point]]
    tags: dict[str, str]
    models: Sequence[ModelSummary]

    def latest(self, metric: str) -> float | None:
        """Return a metric's latest value, or None if the run does not have it.

        As in MLflow that is the one of the last step, then time, then size.
        """
        points = self.metrics.get(metric)
        if not points:
            return None
        value, _, _ = max(points, key=_step_time_value)
        return value


class Run(RunSummary, extra="forbid"):
    """One MLflow run, whole. Times are milliseconds since the epoch, UTC."""

    name: str
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    lifecycle_stage: Literal["active", "deleted"]
    ended: int | None
    user: str
    datasets: list[Dataset]
    model_inputs: list[ModelId]
    model_outputs: list[ModelOutput]
    models: list[LoggedModel]
    artifacts: Artifacts

    @property
    def judged_by(self) -> str:
        """The metric by which cross-validation evaluated a candidate; else empty."""
        for key in self.metrics:
            if key.startswith(FOLD):
                return key.removeprefix(FOLD)
        return ""

    def linked_models(self) -> set[str]:
        """Return the IDs of the models that the run used or produced."""
        linked = set(self.model_inputs)
        linked.update(output.model_id for output in self.model_outputs)
        return linked


def _step_time_value(point: Point) -> tuple[int, int, float]:
    value, time, step = point
    return step, time, value


def dump(record: Record) -> str:
    """Render a record as the text of its file."""
    return to_json(json.loads(record.model_dump_json(by_alias=True)))


def load(path: Path) -> Run:
    """Read and check one `run.json`.

    Raises:
        PipelineError: the file is not a run (see `read`), or not the one that its
            folder names.
    """
    run = read(path, Run)
    _require_own(path, run)
    return run


def load_summary(path: Path) -> RunSummary:
    """Read the part of one `run.json` that reports show; see `load`."""
    run = read(path, RunSummary)
    _require_own(path, run)
    return run


def parse_summary(path: Path, content: bytes) -> RunSummary:
    """Return the same from the content of a `run.json` that was read elsewhere."""
    run = parse(path, content, RunSummary)
    _require_own(path, run)
    return run


def _require_own(path: Path, run: RunSummary) -> None:
    if run.run_id != path.parent.name:
        raise PipelineError(
            f"{path}: holds the run {run.run_id}, not the one its folder names."
        )


def read(
    path: Path,
    kind: type[Kind],
    remedy: str = RESTORE,
) -> Kind:
    """Read and check a file that holds one record with its format version.

    Raises:
        PipelineError: the file is unreadable, truncated, edited out of shape, or of
            another format version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read ({error.strerror}).") from error
    return parse(path, content, kind, remedy)


def parse(
    path: Path,
    content: bytes,
    kind: type[Kind],
    remedy: str = RESTORE,
) -> Kind:
    """Check the content of a file that holds one record; see `read`."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        name = kind.__name__.removesuffix("Summary").lower()
        reason = _reason(name, error, remedy)
        raise PipelineError(f"{path}: {reason}") from error


def _reason(
    kind: str,
    error: ValidationError,
    remedy: str,
) -> str:
    """Return what is wrong with a record, and what to do."""
    fault = error.errors()[0]
    message = fault["msg"]
    where = ".".join(map(str, fault["loc"]))
    match fault["type"], where:
        case "json_invalid", _:
            return f"is not whole JSON (truncated or edited); {remedy}."
        case "missing" | "model_type", "format" | "":
            return f"is not a {kind} of this project (it names no format version)."
        case "literal_error", "format":
            return _wrong_format(fault["input"])
        case "string_pattern_mismatch", _:
            return f"{where}: {fault['input']!r} is not allowed there; {remedy}."
        case "file_name", _:  # restoring a file that was committed so would not help
            return f"{where}: {message}."
    return f"{where}: {message}; {remedy}."


def _wrong_format(version: object) -> str:
    reason = f"has format version {version}; this program reads version {FORMAT}"
    if isinstance(version, int) and version > FORMAT:
        return f"{reason}: a later version of this program reads it."
    return f"{reason}."
