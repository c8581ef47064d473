"""What `pipeline diff` says about two runs: plain values, for text, HTML and JSON."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

Value = float | str


@dataclass(frozen=True)
class Side:
    """One of the two runs; `day` is that of its start, in UTC."""

    title: str
    run_id: str
    algorithm: str
    commit: str
    day: str


@dataclass(frozen=True)
class Entry:
    """A value of both sides by its name; None where a side does not have it."""

    name: str
    a: str | None
    b: str | None

    @property
    def differs(self) -> bool:
        """Whether the two sides have different values."""
        return self.a != self.b


@dataclass(frozen=True)
class Measured:
    """A metric, with its 95 % interval if the run has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class MetricEntry:
    """A metric of both sides.

    Attributes:
        name: the name of the metric.
        a: the metric of the first side; None if it does not have it.
        b: the metric of the second side.
        change: b less a; None if a side does not have it.
        better: the side with the better value, `a` or `b`; empty if they are equal, or
            if it is not known whether more is better.
    """

    name: str
    a: Measured | None
    b: Measured | None
    change: float | None
    better: str

    @property
    def differs(self) -> bool:
        """Whether the two sides have different values."""
        if self.a is None or self.b is None:
            return True
        return self.a.value != self.b.value


@dataclass(frozen=True)
class Prediction:
    """A predicted value, or the most probable class with its probability."""

    value: Value
    probability: float | None = None


@dataclass(frozen=True)
class ChangedPrediction:
    """A row of the hold-out with both predictions.

    Attributes:
        features: the row's features by name.
        truth: the value or the class that was observed.
        a: the first side's prediction.
        b: that of the second side.
        change: the difference of the values, or the largest difference between the
            probabilities of a class.
    """

    features: dict[str, Value]
    truth: Value
    a: Prediction
    b: Prediction
    change: float


@dataclass(frozen=True)
class Predictions:
    """How the predictions for the rows held out changed.

    Attributes:
        rows: how many rows were held out of both trainings.
        changed: how many predictions differ by more than the task's tolerance.
        other_class: how many rows got another class; None for a regression.
        mean_change: the mean of the absolute changes.
        most: the rows whose predictions changed most, those first.
        note: what is to be known about the rows; empty if both sides had the same data.
    """

    rows: int
    changed: int
    other_class: int | None
    mean_change: float
    most: list[ChangedPrediction]
    note: str = ""


@dataclass(frozen=True)
class Plot:
    """A picture of both sides by its name, as PNG; None where a side has none."""

    name: str
    a: bytes | None
    b: bytes | None


@dataclass(frozen=True)
class Comparison:
    """Two runs of one task, side by side.

    Attributes:
        parameters: the hyperparameters of the candidate, and the training's settings.
        data: rows, digest and origin of the table.
        made_with: commit, digests of code and lock file, Python and libraries.
        predictions: None if they could not be compared.
        no_predictions: why they could not; empty if they were.
        plots: the runs' pictures, which are not part of the JSON.
    """

    task: str
    a: Side
    b: Side
    parameters: list[Entry]
    data: list[Entry]
    made_with: list[Entry]
    metrics: list[MetricEntry]
    predictions: Predictions | None
    no_predictions: str
    plots: list[Plot] = field(default_factory=list)


def to_json(comparisons: list[Comparison]) -> str:
    """Return comparisons as JSON, without the pictures; not-a-number becomes null."""
    adapter = TypeAdapter(list[Comparison])
    content = adapter.dump_json(comparisons, exclude={"__all__": {"plots"}})
    return content.decode()
