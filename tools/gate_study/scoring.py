"""The task's metric of many models on many resamples at once.

The numbers are those of `core.evaluation_metrics`. Evaluating one model on one resample
after the other would take hours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.errors import UsageError
from pipeline.schema import Kind, Task

Array = np.ndarray
# From the means of a loss to the metric.
OfMean = Callable[[Array], Array]


class Scoring(Protocol):
    """The metric of models on weighted rows of the population."""

    def score(self, rows: Array, weights: Array) -> Array:
        """Return the metric, shape (models, resamples); NaN where it has no value.

        Args:
            rows: numbers of rows of the population, shape (count,).
            weights: how often each resample has each of them, (resamples, count).
        """
        ...


@dataclass(frozen=True)
class MeanLoss:
    """A metric that is a function of the mean of a loss.

    Attributes:
        losses: shape (models, rows), float32.
        of_mean: the metric by the mean.
    """

    losses: Array
    of_mean: OfMean

    def score(self, rows: Array, weights: Array) -> Array:
        """Return the metric; see `Scoring`."""
        losses = self.losses[:, rows]
        single = weights.astype(np.float32)
        sums = losses @ single.T
        totals = weights.sum(axis=1)
        means = sums / totals
        return self.of_mean(means)


@dataclass(frozen=True)
class Multiplied:
    """A metric that is multiplied by a factor of each model.

    Attributes:
        scoring: the metric.
        factors: shape (models,).
    """

    scoring: Scoring
    factors: Array

    def score(self, rows: Array, weights: Array) -> Array:
        """Return the metric; see `Scoring`."""
        scores = self.scoring.score(rows, weights)
        product: Array = scores * self.factors[:, np.newaxis]
        return product


@dataclass(frozen=True)
class RocAuc:
    """The area under the ROC curve, or the mean of those of each class.

    Attributes:
        values: the probability of each class, shape (classes, models, rows).
        is_positive: which rows are of the class, shape (classes, rows).
    """

    values: Array
    is_positive: Array

    def score(self, rows: Array, weights: Array) -> Array:
        """Return the metric; see `Scoring`."""
        areas = []
        classes = zip(self.values, self.is_positive, strict=True)
        for values, is_positive in classes:
            of_class = _areas(
                values[:, rows],
                is_positive[rows],
                weights,
            )
            areas.append(of_class)
        mean: Array = np.mean(areas, axis=0)
        return mean


def _areas(
    values: Array,
    is_positive: Array,
    weights: Array,
) -> Array:
    """Return the share of weighted pairs that are in order, (models, resamples)."""
    is_negative = ~is_positive
    single = weights.astype(np.float32)
    of_positive = single[:, is_positive]
    of_negative = single[:, is_negative]
    positives = of_positive.sum(axis=1)
    negatives = of_negative.sum(axis=1)
    pairs = positives * negatives
    areas = []
    for of_model in values:
        positive = of_model[is_positive]
        negative = of_model[is_negative]
        in_order = _in_order(positive, negative)
        by_negative = of_positive @ in_order
        total = np.einsum("rn,rn->r", by_negative, of_negative)
        with np.errstate(invalid="ignore"):
            area = total / pairs
        areas.append(area)
    return np.stack(areas)


def _in_order(positive: Array, negative: Array) -> Array:
    """Return 1 for each pair that is in order, 0.5 if the two are equal, else 0."""
    column = positive[:, np.newaxis]
    is_above = column > negative
    is_equal = column == negative
    above = is_above.astype(np.float32)
    equal = is_equal.astype(np.float32)
    in_order: Array = above + equal / 2
    return in_order


def _mean_loss(losses: Array, of_mean: OfMean) -> MeanLoss:
    single = losses.astype(np.float32)
    return MeanLoss(single, of_mean)


def _same(means: Array) -> Array:
    return means


def scoring_of(
    task: Task,
    truth: Array,
    predictions: Array,
) -> Scoring:
    """Return the scoring of models by the task's metric.

    Args:
        task: the task.
        truth: shape (rows,), as `evaluate.encode` gives it.
        predictions: shape (models, rows), or (models, rows, classes).

    Raises:
        UsageError: the task has another metric than those here.
    """
    metric = task.metric.name
    if metric not in _KNOWN:
        choice = ", ".join(_KNOWN)
        raise UsageError(
            f"{task.name}: the metric {metric} is not one of those that can be studied:"
            f" {choice}."
        )
    if task.kind is Kind.REGRESSION:
        error = truth - predictions
        return _of_regression(metric, error)
    sums = predictions.sum(axis=2, keepdims=True)
    probability = predictions / sums
    return _of_classification(metric, truth, probability)


def _of_regression(metric: str, error: Array) -> Scoring:
    if metric == "rmse":
        squares = error**2
        return _mean_loss(squares, np.sqrt)
    sizes = np.abs(error)
    return _mean_loss(sizes, _same)


def _of_classification(
    metric: str,
    truth: Array,
    probability: Array,
) -> Scoring:
    if metric == "roc_auc":
        return _roc_auc(truth, probability)
    if metric == "accuracy":
        return _accuracy(truth, probability)
    if metric == "brier":
        return _brier(truth, probability)
    return _log_loss(truth, probability)


def _accuracy(truth: Array, probability: Array) -> MeanLoss:
    predicted = probability.argmax(axis=2)
    is_right = predicted == truth
    return _mean_loss(is_right, _same)


def _brier(truth: Array, probability: Array) -> MeanLoss:
    classes = probability.shape[2]
    one_hot = np.eye(classes)[truth]
    error = probability - one_hot
    squares = error**2
    of_rows = np.sum(squares, axis=2)
    return _mean_loss(of_rows, _same)


def _log_loss(truth: Array, probability: Array) -> MeanLoss:
    smallest = np.finfo(np.float64).eps
    rows = np.arange(len(truth))
    of_true_class = probability[:, rows, truth]
    clipped = np.clip(
        of_true_class,
        smallest,
        1 - smallest,
    )
    losses = -np.log(clipped)
    return _mean_loss(losses, _same)


def _roc_auc(truth: Array, probability: Array) -> RocAuc:
    """Return the scoring by the last of two classes, or by each of more."""
    count = probability.shape[2]
    first = 1 if count == 2 else 0
    counted = np.arange(first, count)
    by_class = np.moveaxis(probability, 2, 0)
    is_positive = truth == counted[:, np.newaxis]
    return RocAuc(by_class[counted], is_positive)


_KNOWN = ("rmse", "mae", "log_loss", "roc_auc", "accuracy", "brier")
