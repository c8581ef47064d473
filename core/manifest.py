"""`manifest.json`: the contract between the pipeline, which writes it, and the API.

Training fills a `TrainedManifest` and keeps it with the run. Promotion adds which
version it is and what drift is judged by: that `Manifest` is served.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import TypeAliasType

from core.distributions import Distribution
from core.errors import PipelineError, first_fault
from core.files import to_json
from core.intervals import PredictionIntervals
from core.manifest_metrics import (
    CrossValidation,
    Fairness,
    Holdout,
    Slice,
    SliceGroup,
)

# A whole number stays one, so that a file is written as it was read.
Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
FeatureValue = TypeAliasType("FeatureValue", Number | str)


class Feature(BaseModel):
    """A number from `low` to `high`, or one of `categories`."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: Literal["number", "category"]
    description: str
    unit: str
    low: Number | None
    high: Number | None
    categories: list[str]
    example: FeatureValue


class Target(BaseModel):
    """What is predicted; `classes` in the order of the model's probabilities."""

    name: str
    description: str
    unit: str
    classes: list[str]


class TargetColumn(Target):
    """The target with the range of its values, where it is a number with a range."""

    low: Number | None = None
    high: Number | None = None


class Metric(BaseModel):
    """The metric that decides between two models of a task."""

    name: str
    higher_is_better: bool


class Golden(BaseModel):
    """A request, and the answer that the model gave when it was trained."""

    request: dict[str, FeatureValue]
    answer: float | list[float]


class Parity(BaseModel):
    """How well the ONNX file agrees with the fitted estimator on the hold-out."""

    # In JSON a difference that is not a number is the text "NaN".
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    rows: int = Field(gt=0)
    mismatches: int = Field(ge=0)
    largest_difference: float
    tolerance: float


class DataSource(BaseModel):
    """The table that the model was trained and evaluated on."""

    rows: int
    digest: str
    source: str
    licence: str


class Reference(BaseModel):
    """The distributions of the training rows and of the predictions on the hold-out.

    Attributes:
        thresholds: by rows of a window, `features` or `predictions`, and name; empty in
            manifests from before drift had thresholds.
    """

    rows: int
    features: dict[str, Distribution]
    predictions: dict[str, Distribution]
    thresholds: dict[int, dict[str, dict[str, float]]] = {}


class TrainedManifest(BaseModel):
    """A model as training left it; keys of other releases are kept as they are."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    format: Literal[1]
    task: str
    title: str
    description: str
    kind: Literal["regression", "classification"]
    features: list[Feature]
    target: TargetColumn
    metric: Metric
    algorithm: str
    sha256: str
    size: int
    tolerance: Number
    golden: Golden
    holdout: Holdout
    reference: Reference
    limits: list[str]
    parameters: dict[str, JsonValue] = {}
    derived: dict[str, str] = {}
    opset: int | None = None
    parity: Parity | None = None
    data: DataSource | None = None
    cross_validation: CrossValidation | None = None
    baseline: dict[str, float] | None = None
    slices: list[Slice] = []
    intervals: PredictionIntervals | None = None
    groups: list[SliceGroup] = []
    fairness: list[Fairness] = []

    @model_validator(mode="after")
    def _classes_fit_the_kind(self) -> Self:
        if bool(self.target.classes) != (self.kind == "classification"):
            raise ValueError(f"a {self.kind} has {len(self.target.classes)} classes")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the manifest in a file.

        Raises:
            FileNotFoundError: there is no such file.
            PipelineError: the file is damaged.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise PipelineError(f"{path}: {first_fault(error)}.") from error

    def render(self) -> str:
        """Return the content of the file, without the fields that were never set."""
        return to_json(self.model_dump(mode="json", exclude_unset=True))

    def metric_values(self) -> dict[str, float]:
        """Return the metrics on the hold-out without their intervals."""
        return {name: metric.value for name, metric in self.holdout.metrics.items()}


class Manifest(TrainedManifest):
    """A model in service.

    Attributes:
        version: its number in the registry; 0 while a training was not published.
        commit: the commit that it was trained from.
        promoted: when it was promoted, in milliseconds since 1970.
        model_id: MLflow's ID of the logged model.
        training_seconds: how long its run took.
        loaded_over: SHA-256 of the served manifest that it stands in for, until another
            is published.
    """

    version: int
    run_id: str
    commit: str
    promoted: int
    model_id: str | None = None
    training_seconds: float | None = None
    loaded_over: str | None = None

    @classmethod
    def of(cls, trained: TrainedManifest, **update: Any) -> Self:
        """Return a trained model's manifest with the fields of one in service."""
        content = trained.model_dump(mode="json", exclude_unset=True)
        return cls.model_validate(content | update)
