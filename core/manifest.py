"""`manifest.json`, as far as serving needs it: the contract between the pipeline and
the API.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator
from typing_extensions import TypeAliasType

from core.distributions import Distribution

FeatureValue = TypeAliasType("FeatureValue", float | str)


class Feature(BaseModel):
    """A number from `low` to `high`, or one of `categories`."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: Literal["number", "category"]
    description: str
    unit: str
    low: float | None
    high: float | None
    categories: list[str]
    example: FeatureValue


class Target(BaseModel):
    """What is predicted; `classes` in the order of the model's probabilities."""

    name: str
    description: str
    unit: str
    classes: list[str]


class Metric(BaseModel):
    """The one number that the task is judged by."""

    name: str
    higher_is_better: bool


class Golden(BaseModel):
    """A request with the answer that the model gave when it was made."""

    request: dict[str, float | str]
    answer: float | list[float]


class MetricValue(BaseModel):
    """A metric with its 95 % interval."""

    value: float
    low: float
    high: float


class Holdout(BaseModel):
    """How the model did on rows that it was not trained on."""

    rows: int
    metrics: dict[str, MetricValue]


class Reference(BaseModel):
    """What the features and predictions looked like when the model was made.

    Attributes:
        thresholds: by rows of a window, `features` or `predictions`, and name; none in
            a manifest that is older than they are.
    """

    rows: int
    features: dict[str, Distribution]
    predictions: dict[str, Distribution]
    thresholds: dict[int, dict[str, dict[str, float]]] = {}


class Manifest(BaseModel):
    """One version of one task's model; keys that only people read are kept as they are."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    format: Literal[1]
    task: str
    title: str
    description: str
    kind: Literal["regression", "classification"]
    features: list[Feature]
    target: Target
    metric: Metric
    algorithm: str
    version: int
    run_id: str
    commit: str
    promoted: int
    sha256: str
    size: int
    tolerance: float
    golden: Golden
    holdout: Holdout
    reference: Reference
    limits: list[str]
    loaded_over: str | None = None
    training_seconds: float | None = None

    @model_validator(mode="after")
    def _classes_fit_the_kind(self) -> "Manifest":
        if bool(self.target.classes) != (self.kind == "classification"):
            raise ValueError(f"a {self.kind} has {len(self.target.classes)} classes")
        return self
