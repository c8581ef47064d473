"""The metrics in a manifest: on the hold-out, in cross-validation and on groups of rows."""

from pydantic import BaseModel


class MetricValue(BaseModel):
    """A metric with its 95 % interval."""

    value: float
    low: float
    high: float


class Holdout(BaseModel):
    """The model's metrics on rows that it was not trained on."""

    rows: int
    metrics: dict[str, MetricValue]


class CrossValidation(BaseModel):
    """The metrics of the folds: `<metric>_mean`, and `_std` of the task's metric."""

    folds: int
    metrics: dict[str, float]


class Slice(BaseModel, extra="allow"):
    """A part of the hold-out, with the task's metric on it under the metric's name."""

    __pydantic_extra__: dict[str, float]

    feature: str
    part: str
    rows: int


class SliceGroup(BaseModel):
    """A group of a slice that the task names, with the task's metric on its rows."""

    slice: str
    group: str
    rows: int
    metric: MetricValue


class GroupRates(BaseModel):
    """How often a model selects the rows of a group.

    Attributes:
        selection_rate: the share of the rows that it predicts the favourable class for.
        true_positive_rate: the same share of the rows that are of this class.
    """

    selection_rate: float
    true_positive_rate: float


class Fairness(BaseModel):
    """How differently a model treats the groups of a slice.

    Attributes:
        slice: the name of the slice.
        favourable: the class that is an advantage.
        demographic_parity_difference: between the largest and the smallest selection
            rate of its groups.
        equal_opportunity_difference: the same of the true positive rates.
        groups: the rates by group.
    """

    slice: str
    favourable: str
    demographic_parity_difference: float
    equal_opportunity_difference: float
    groups: dict[str, GroupRates]
