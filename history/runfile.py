"""The format of `run.json`: everything that MLflow knows about one run, as readable
text.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import PydanticCustomError

from core.errors import PipelineError
from core.files import to_json
from history import names

FORMAT = 1
RESTORE = "`python -m history verify` says how to restore it"
EDITED = "was edited: this program would write it otherwise"

RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
ModelId = Annotated[str, Field(pattern=r"^m-[0-9a-f]{32}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FILE_NAME = "file_name"  # the type of the errors that the validators of paths raise


def _portable(path: str) -> str:
    if reason := names.fault_of(path):
        raise PydanticCustomError(
            FILE_NAME, "{path} {reason}", {"path": repr(path), "reason": reason}
        )
    return path


# Slash-separated, relative, and fit for every system: see `names.fault_of`.
RelativePath = Annotated[str, AfterValidator(_portable)]
# value, milliseconds after the start, step; in JSON a value that is no number is the
# text "NaN"
Point = tuple[float, int, int]


class Record(BaseModel, extra="forbid", frozen=True, ser_json_inf_nan="strings"):
    """What all parts of the format share: unknown keys are errors, nothing changes once
    read.
    """


Kind = TypeVar("Kind", bound=Record)


class Artifact(Record):
    """A file that belongs to a run or a model; `path` is relative to the owner's
    folder.
    """

    path: RelativePath
    sha256: Sha256
    size: int = Field(ge=0)


def _distinct(artifacts: list[Artifact]) -> list[Artifact]:
    if found := names.clash(artifact.path for artifact in artifacts):
        raise PydanticCustomError(
            FILE_NAME,
            "{one} and {other} are one file on Windows or macOS",
            {"one": repr(found[0]), "other": repr(found[1])},
        )
    return artifacts


Artifacts = Annotated[list[Artifact], AfterValidator(_distinct)]


class Dataset(Record):
    """One data-set input of a run, as MLflow describes it."""

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


class LoggedModel(Record):
    """A model that the run logged; its files lie in `models/<model_id>/` of the run's
    folder.

    The digests stay when the files of a model that was never promoted are let go.
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
    """The step at which a run put out a logged model."""

    model_id: ModelId
    step: int


class Run(Record):
    """One MLflow run, whole. Times are milliseconds since the epoch, UTC."""

    format: Literal[1]
    run_id: RunId
    experiment: str = Field(min_length=1)
    name: str
    parent: RunId | None
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    lifecycle_stage: Literal["active", "deleted"]
    started: int
    ended: int | None
    user: str
    params: dict[str, str]
    metrics: dict[str, list[Point]]
    tags: dict[str, str]
    datasets: list[Dataset]
    model_inputs: list[ModelId]
    model_outputs: list[ModelOutput]
    models: list[LoggedModel]
    artifacts: Artifacts

    def latest(self, metric: str) -> float | None:
        """Return a metric's value at its last step (then time, then size), as MLflow
        does.
        """
        points = self.metrics.get(metric)
        return (
            max(points, key=lambda point: (point[2], point[1], point[0]))[0]
            if points
            else None
        )

    @property
    def judged_by(self) -> str:
        """The metric that a candidate was judged by in cross-validation; else empty."""
        return next((key[5:] for key in self.metrics if key.startswith("fold_")), "")

    def linked_models(self) -> set[str]:
        """Return the ids of the models that the run used or put out."""
        return {*self.model_inputs, *(output.model_id for output in self.model_outputs)}


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
    if run.run_id != path.parent.name:
        raise PipelineError(
            f"{path}: holds the run {run.run_id}, not the one its folder names."
        )
    return run


def read(path: Path, kind: type[Kind], remedy: str = RESTORE) -> Kind:
    """Read and check a file that holds one record with its format version.

    Raises:
        PipelineError: the file is unreadable, truncated, edited out of shape, or of
            another format version.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        raise PipelineError(
            f"{path}: {_reason(kind.__name__.lower(), error, remedy)}"
        ) from error


def _reason(kind: str, error: ValidationError, remedy: str) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    told = first["msg"]
    match first["type"], where:
        case "json_invalid", _:
            return f"is not whole JSON (truncated or edited); {remedy}."
        case "missing" | "model_type", "format" | "":
            return f"is not a {kind} of this project (it names no format version)."
        case "literal_error", "format":
            told = (
                f"has format version {first['input']}; this program reads version"
                f" {FORMAT}"
            )
            newer = isinstance(first["input"], int) and first["input"] > FORMAT
            return (
                f"{told}: `pipeline update` brings a later program."
                if newer
                else f"{told}."
            )
        case "string_pattern_mismatch", _:
            told = f"{first['input']!r} is not allowed there"
        case "file_name", _:  # restoring a file that was committed so would not help
            return f"{where}: {told}."
    return f"{where}: {told}; {remedy}."
