"""Whether an orchard is as difficult as everybody's, from its rows alone.

No library is used: two systems whose libraries differ in a last digit must not draw
different orchards for the same student.
"""

import math
from collections.abc import Iterable, Sequence

# The share of the target's variance that any model can explain: the rest is noise.
CEILING = (0.93, 0.98)
# The share that a straight line explains. It must stay well below what the task's
# threshold demands, and lie above nothing at all.
LINEAR = (0.30, 0.48)
# What the task asks of a model on the rows that it has not seen.
THRESHOLD_R2 = 0.62


def mean(values: Sequence[float]) -> float:
    """Return the mean of some numbers."""
    return math.fsum(values) / len(values)


def variance(values: Sequence[float]) -> float:
    """Return the mean squared distance from the mean."""
    return _product_of_distances(values, values)


def squared_correlation(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return which share of the variance of one column a line through another explains."""
    covariance = _product_of_distances(ones, others)
    variances = variance(ones) * variance(others)
    return covariance * covariance / variances


def _product_of_distances(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return the mean product of two columns' distances from their means."""
    centre = mean(ones)
    other_centre = mean(others)
    products = []
    for one, other in zip(ones, others, strict=True):
        distance = one - centre
        other_distance = other - other_centre
        products.append(distance * other_distance)
    return mean(products)


def is_fair(
    target: Sequence[float],
    signal: Sequence[float],
    features: Iterable[Sequence[float]],
) -> bool:
    """Return whether the difficulty of a table lies within the bounds for everybody.

    Args:
        target: the column to predict, shape (rows,).
        signal: the same without its noise.
        features: the independent numeric features, each of shape (rows,).
    """
    pairs = zip(target, signal, strict=True)
    noise = [value - without_noise for value, without_noise in pairs]
    ceiling = 1 - variance(noise) / variance(target)
    explained = [squared_correlation(feature, target) for feature in features]
    linear = math.fsum(explained)
    if not _is_within(ceiling, CEILING):
        return False
    return _is_within(linear, LINEAR)


def _is_within(value: float, bounds: tuple[float, float]) -> bool:
    low, high = bounds
    return low <= value <= high
