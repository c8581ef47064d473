"""The vocabulary of a task: what its data is, what is asked of it, and what a model
must prove.
"""

import inspect
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ImportString
from pydantic.dataclasses import dataclass

from core.redact import redact
from pipeline.data import expressions

Value = int | float | str
STRICT = ConfigDict(extra="forbid")  # an unknown key is an error with its path


class Kind(StrEnum):
    """What a task predicts."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True, config=STRICT)
class Feature:
    """One column that a model is given: a number from `low` to `high`, or one of
    `categories`.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    description: str
    example: Value
    unit: str = ""
    low: int | float | None = None
    high: int | float | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.categories and (self.low is None or self.high is None):
            raise ValueError(
                f"feature {self.name}: give it low and high, or categories"
            )
        if not self.allows(self.example):
            raise ValueError(
                f"feature {self.name}: its example {self.example!r} is not allowed"
            )

    @property
    def type(self) -> Literal["category", "number"]:
        """`category` where the categories are listed, else `number` (float32 in the
        model).
        """
        return "category" if self.categories else "number"

    def allows(self, value: Value) -> bool:
        """Tell whether a value is one of the categories, or a number within the range."""
        if self.categories or isinstance(value, str):
            return value in self.categories
        return (
            self.low is not None
            and self.high is not None
            and self.low <= value <= self.high
        )


@dataclass(frozen=True, config=STRICT)
class Target:
    """The column that is predicted; `classes` in the order of the model's
    probabilities.
    """

    name: str
    description: str
    unit: str = ""
    low: int | float | None = None
    high: int | float | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, config=STRICT)
class Metric:
    """The one number that a task is judged by; its name is one of
    `training.evaluate.METRICS`.
    """

    name: str
    higher_is_better: bool


@dataclass(frozen=True, config=STRICT)
class Behaviour:
    """What a claim about a model, in words that need no programmer, means.

    Probe rows are made of the features' examples; `given` sets columns in all of them.
    The score is the prediction of a regression and the probability of the last class of
    a classification. `within` claims that the score lies in a range. The other claims
    compare the score after `changes` (column to new value) and `add` (column to what is
    added) with the one before: `same` is a difference of at most `tolerance`; `higher`
    and `lower` are a mean that moves by more than `tolerance`, and rows that do not go
    the other way.
    """

    expect: Literal["same", "higher", "lower", "within"]
    changes: dict[str, Value] = field(default_factory=dict)
    add: dict[str, float] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    within: tuple[float, float] = (0.0, 0.0)
    tolerance: float = 0.0


@dataclass(frozen=True, config=STRICT)
class Budget:
    """What a model may cost: bytes of its ONNX file, milliseconds of one row on one
    thread.
    """

    size_bytes: int
    latency_ms: float


@dataclass(frozen=True, config=STRICT)
class Layout:
    """How a file's columns become those of the task.

    `derive` says what a column of the task is made of, where that is not the file's
    column of the same name: `income`, `rooms / homes`, `value / 100000`,
    `month(sold_on)` (see `pipeline.data.expressions`). `values` replaces texts in a
    column, such as codes by words. `ignore` lists the file's columns that are left out;
    any other that is not used is an error.
    """

    derive: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for text in self.derive.values():
            expressions.parse(text)


@dataclass(frozen=True, config=STRICT)
class Source:
    """A place that has the data, and the function that makes a table of its file.

    `place` is a web address; or `$VARIABLE/file`, in the folder that an environment
    variable names, read where it lies; or the name of a package, whose `read` takes no
    notice of the path. `member` is the file in a tar or zip archive. `read` gets the
    path and the `options`; `table` says how its columns become the task's (without it:
    as the task's own `table` says). Without a `sha256` of the file, the table's digest
    alone decides.
    """

    place: str
    read: ImportString[Callable[..., Any]]
    sha256: str | None = None
    member: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    table: Layout | None = None

    def __post_init__(self) -> None:
        try:
            inspect.signature(self.read).bind(Path(), **self.options)
        except TypeError as error:
            raise ValueError(f"options of {self.read.__name__}: {error}") from error

    @property
    def address(self) -> str:
        """The place for people and records: without passwords, and without a query."""
        return redact(self.place).partition("?")[0]

    @property
    def web(self) -> bool:
        """Whether it is downloaded."""
        return "://" in self.place

    @property
    def private(self) -> bool:
        """Whether it is a folder of the user's own, of which nothing is ever committed."""
        return self.place.startswith("$")


@dataclass(frozen=True, config=STRICT)
class Task:
    """All that the product knows about one prediction problem; one file in
    `pipeline/tasks/`.

    `sources` are tried in order; a task whose snapshot is in `data/` needs none.
    `digest` is the SHA-256 of the table's canonical CSV as whichever source gave it
    when the task was written; it guards the first fetch, before there is a snapshot.
    `rows_digest` is the same of the sorted rows: by it a source counts that has the
    same rows in another order. `table` says how a file of one's own, for `pipeline data
    add`, becomes the task's table. `tolerance` is the largest difference between the
    predictions of estimator and ONNX file that counts as agreement. `behaviours` has
    them by their claim. `training` is what `params.yaml` says of a task, for one that
    has no section there.
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
    homepage: str
    licence: str
    sources: tuple[Source, ...] = ()
    digest: str = ""
    rows_digest: str = ""
    table: Layout = Layout()
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for layout in (self.table, *(source.table for source in self.sources)):
            self._check(layout or Layout())
        for name, text in self.table.derive.items():
            if used := set(expressions.inputs(expressions.parse(text))) & set(
                self.table.derive
            ):
                raise ValueError(f"table.derive.{name}: {min(used)} is derived itself")

    def _check(self, layout: Layout) -> None:
        if unknown := sorted({*layout.derive, *layout.values} - set(self.columns)):
            raise ValueError(f"table: the task has no column {unknown[0]}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data set in order: the features, then the target."""
        return (*(feature.name for feature in self.features), self.target.name)
