"""The vocabulary of a task: what its data is, what is asked of it, and what a model must prove."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import pandas as pd

Value = float | str


class Kind(StrEnum):
    """What a task predicts."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"


@dataclass(frozen=True)
class Feature:
    """One column that a model is given: a number within a range, or one of some categories."""

    name: str
    description: str
    example: Value
    unit: str = ""
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """`category` where the categories are listed, else `number` (float32 in the model)."""
        return "category" if self.categories else "number"


@dataclass(frozen=True)
class Target:
    """The column that is predicted; `classes` in the order of the model's probabilities."""

    name: str
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """The one number that a task is judged by."""

    name: str
    higher_is_better: bool

    def better(self, left: float, right: float) -> bool:
        """Tell whether `left` is strictly better than `right`."""
        return left > right if self.higher_is_better else left < right


@dataclass(frozen=True)
class Behaviour:
    """A claim about a model that a person who cannot program can read.

    Each of the task's `probes` rows is changed in `changes` (column to new value, or column to a
    function of the old value). `expect` compares the score after with the score before: `same`
    (within `tolerance`), `higher` or `lower`. The score is the prediction of a regression and the
    probability of the last class of a classification. `share` of the rows must agree.
    """

    claim: str
    changes: dict[str, Value | Callable[[float], float]]
    expect: str
    share: float = 0.9
    tolerance: float = 0.0


@dataclass(frozen=True)
class Budget:
    """What a model may cost: bytes of its ONNX file, milliseconds of one row on one thread."""

    size_bytes: int
    latency_ms: float


@dataclass(frozen=True)
class Task:
    """All that the product knows about one prediction problem; one file in `pipeline/tasks/`."""

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
    algorithms: tuple[str, ...]
    fetch: Callable[[Path], pd.DataFrame]
    folder_variable: str | None
    source: str
    licence: str
    digest: str
    behaviours: tuple[Behaviour, ...] = field(default=())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the data set in order: the features, then the target."""
        return (*(feature.name for feature in self.features), self.target.name)
