"""The vocabulary of a task: what its data is, what is asked of it, and what a model must prove."""

from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ImportString
from pydantic.dataclasses import dataclass

Value = int | float | str
STRICT = ConfigDict(extra="forbid")  # an unknown key is an error with its path


class Kind(StrEnum):
    """What a task predicts."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True, config=STRICT)
class Feature:
    """One column that a model is given: a number from `low` to `high`, or one of `categories`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    description: str
    example: Value
    unit: str = ""
    low: int | float | None = None
    high: int | float | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.categories and (self.low is None or self.high is None):
            raise ValueError(f"feature {self.name}: give it low and high, or categories")
        if not self.allows(self.example):
            raise ValueError(f"feature {self.name}: its example {self.example!r} is not allowed")

    @property
    def type(self) -> Literal["category", "number"]:
        """`category` where the categories are listed, else `number` (float32 in the model)."""
        return "category" if self.categories else "number"

    def allows(self, value: Value) -> bool:
        """Tell whether a value is one of the categories, or a number within the range."""
        if self.categories or isinstance(value, str):
            return value in self.categories
        return self.low is not None and self.high is not None and self.low <= value <= self.high


@dataclass(frozen=True, config=STRICT)
class Target:
    """The column that is predicted; `classes` in the order of the model's probabilities."""

    name: str
    description: str
    unit: str = ""
    low: int | float | None = None
    high: int | float | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, config=STRICT)
class Metric:
    """The one number that a task is judged by; its name is one of `training.evaluate.METRICS`."""

    name: str
    higher_is_better: bool


@dataclass(frozen=True, config=STRICT)
class Behaviour:
    """What a claim about a model, in words that need no programmer, means.

    Probe rows are made of the features' examples; `given` sets columns in all of them. The score
    is the prediction of a regression and the probability of the last class of a classification.
    `within` claims that the score lies in a range. The other claims compare the score after
    `changes` (column to new value) and `add` (column to what is added) with the one before:
    `same` is a difference of at most `tolerance`; `higher` and `lower` are a mean that moves by
    more than `tolerance`, and rows that do not go the other way.
    """

    expect: Literal["same", "higher", "lower", "within"]
    changes: dict[str, Value] = field(default_factory=dict)
    add: dict[str, float] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    within: tuple[float, float] = (0.0, 0.0)
    tolerance: float = 0.0


@dataclass(frozen=True, config=STRICT)
class Budget:
    """What a model may cost: bytes of its ONNX file, milliseconds of one row on one thread."""

    size_bytes: int
    latency_ms: float


@dataclass(frozen=True, config=STRICT)
class Source:
    """A place that has the data, and the function that makes a table of its file.

    `place` is a web address; or `$VARIABLE/file`, in the folder that an environment variable names,
    read where it lies; or the name of a package, whose `read` takes no notice of the path. Without
    a `sha256` of the file, the table's digest alone decides.
    """

    place: str
    read: ImportString[Callable[[Path], Any]]
    sha256: str | None = None


@dataclass(frozen=True, config=STRICT)
class Task:
    """All that the product knows about one prediction problem; one file in `pipeline/tasks/`.

    `sources` are tried in order. `digest` is the SHA-256 of the table's canonical CSV as whichever
    source gave it when the task was written; it guards the first fetch, before there is a snapshot.
    `tolerance` is the largest difference between the predictions of estimator and
    ONNX file that counts as agreement. `behaviours` has them by their claim.
    """

    name: str
    title: str
    kind: Kind
    description: str
    limits: tuple[str, ...]
    features: tuple[Feature, ...]
    target: Target
    metric: Metric
    thresholds: dict[str, float]
    tolerance: float
    budget: Budget
    sources: tuple[Source, ...]
    homepage: str
    licence: str
    digest: str
    behaviours: dict[str, Behaviour] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data set in order: the features, then the target."""
        return (*(feature.name for feature in self.features), self.target.name)
