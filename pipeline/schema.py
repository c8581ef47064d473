"""The description of a task: its data, its target, and the tests of its models."""

import inspect
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ImportString
from pydantic.dataclasses import dataclass

from core.redact import redact_address
from history import bucket_address
from pipeline.data import derived as derived_features
from pipeline.data import expressions
from pipeline.data.layout import STRICT, Layout
from pipeline.slices import Fairness, Name, NamedSlice, check_slices

Value = int | float | str


class Kind(StrEnum):
    """What a task predicts."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True, config=STRICT)
class Feature:
    """An input of a model: a number from `low` to `high`, or one of `categories`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    description: str
    example: Value
    unit: str = ""
    low: int | float | None = None
    high: int | float | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        has_range = self.low is not None and self.high is not None
        if not self.categories and not has_range:
            raise ValueError(
                f"feature {self.name}: give it low and high, or categories"
            )
        if not self.allows(self.example):
            raise ValueError(
                f"feature {self.name}: its example {self.example!r} is not allowed"
            )

    @property
    def type(self) -> Literal["category", "number"]:
        """Either `category`, or `number`, which is a float32 in the model."""
        if self.categories:
            return "category"
        return "number"

    def allows(self, value: Value) -> bool:
        """Return whether a value is one of the categories or a number in the range."""
        if self.categories or isinstance(value, str):
            return value in self.categories
        if self.low is None or self.high is None:
            return False
        return self.low <= value <= self.high


@dataclass(frozen=True, config=STRICT)
class Target:
    """The column to predict; `classes` has the order of the model's probabilities."""

    name: str
    description: str
    unit: str = ""
    low: int | float | None = None
    high: int | float | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, config=STRICT)
class Metric:
    """The metric that decides between two models; see `core.evaluation_metrics`."""

    name: str
    higher_is_better: bool


@dataclass(frozen=True, config=STRICT)
class BehaviouralTest:
    """A behavioural test of a model; its name is a sentence that anybody can read.

    The rows of the test are built from the features' examples; `given` sets columns in
    all of them. The score is the prediction of a regression, or the probability of the
    last class of a classification. `within` expects the score in a range. The other
    expectations compare the score after `changes` (column to new value) and `add`
    (column to summand) with the one before: `same` allows a difference of at most
    `tolerance`; `higher` and `lower` expect a mean that moves by more than `tolerance`,
    and no row that moves the other way.
    """

    expect: Literal["same", "higher", "lower", "within"]
    changes: dict[str, Value] = field(default_factory=dict)
    add: dict[str, float] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    within: tuple[float, float] = (0.0, 0.0)
    tolerance: float = 0.0


@dataclass(frozen=True, config=STRICT)
class Budget:
    """The limits of a model: bytes of its ONNX file, milliseconds per row on one thread."""

    size_bytes: int
    latency_ms: float


@dataclass(frozen=True, config=STRICT)
class Source:
    """A place that has the data, and the function that reads its file.

    `place` is a web address; or `$VARIABLE/file` for a file in the folder that an
    environment variable names; or `s3://BUCKET/KEY`; or the name of a package, whose
    `read` ignores the path.
    `member` is the file in a tar or zip archive. `read` gets the path and the
    `options`; `table` describes how its columns become the task's, and defaults to the
    task's own `table`. Without the `sha256` of the file, only the table's digest
    decides.
    """

    place: str
    read: ImportString[Callable[..., Any]]
    sha256: str | None = None
    member: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    table: Layout | None = None

    def __post_init__(self) -> None:
        folder = self.place.rpartition("/")[0]
        if self.in_bucket and not bucket_address.ADDRESS.fullmatch(folder):
            raise ValueError(f"place: {self.place!r} is not s3://BUCKET/KEY")
        signature = inspect.signature(self.read)
        try:
            signature.bind(Path(), **self.options)
        except TypeError as error:
            raise ValueError(f"options of {self.read.__name__}: {error}") from error

    @property
    def address(self) -> str:
        """The place without passwords and query, for people and records."""
        address, _, _ = redact_address(self.place).partition("?")
        return address

    @property
    def web(self) -> bool:
        """Whether the source is downloaded from a web server."""
        return "://" in self.place and not self.in_bucket

    @property
    def in_bucket(self) -> bool:
        """Whether it is a file in a bucket of an S3 store."""
        return self.place.startswith("s3://")

    @property
    def private(self) -> bool:
        """Whether it is a folder or bucket of the user's own; nothing is committed."""
        return self.place.startswith("$") or self.in_bucket


@dataclass(frozen=True, config=STRICT)
class Task:
    """A prediction problem, as one file in `pipeline/tasks/` describes it.

    `sources` are tried in order; a task whose snapshot is in `data/` needs none.
    `digest` is the SHA-256 of the table's canonical CSV when the task was written; it
    guards the first fetch, before there is a snapshot. `rows_digest` is the same of the
    sorted rows, for a source with the same rows in another order. `table` describes how
    a file for `pipeline data add` becomes the task's table. `tolerance` is the largest
    difference between the predictions of the estimator and of the ONNX file that counts
    as agreement. `behaviours` has the behavioural tests by name. On no group of the
    `slices` may a challenger be worse than the champion. `training` replaces the task's
    section in `params.yaml`. `derived` has the features that the models compute from
    others, and `places` those that they measure distances to (see
    `pipeline.data.derived`).
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
    behaviours: dict[str, BehaviouralTest] = field(default_factory=dict)
    slices: dict[Name, NamedSlice] = field(default_factory=dict)
    fairness: Fairness | None = None
    training: dict[str, Any] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[derived_features.Place, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        derived_features.check(self.derived_features, self.features, self.columns)
        self._check_columns(self.table)
        for source in self.sources:
            if source.table:
                self._check_columns(source.table)
        derived = set(self.table.derive)
        for name, text in self.table.derive.items():
            expression = expressions.parse(text)
            used = derived.intersection(expressions.inputs(expression))
            if used:
                raise ValueError(f"table.derive.{name}: {min(used)} is derived itself")
        columns = {feature.name: feature.categories for feature in self.features}
        columns[self.target.name] = self.target.classes
        check_slices(self.slices, self.fairness, columns, self.target.classes)

    def _check_columns(self, layout: Layout) -> None:
        for name in sorted(layout.derive | layout.values):
            if name not in self.columns:
                raise ValueError(f"table: the task has no column {name}")

    @property
    def derived_features(self) -> list[derived_features.DerivedFeature]:
        """The derived features, parsed."""
        return derived_features.parse(self.derived, self.places)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data set in order: the features, then the target."""
        features = tuple(feature.name for feature in self.features)
        return features + (self.target.name,)
