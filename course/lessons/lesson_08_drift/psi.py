"""How far a column has moved between two tables: the population stability index."""

import bisect
import math
from collections.abc import Sequence

from course.orchard import NUMBERS, Row

BINS = 10
# So that an empty bin has a logarithm.
LEAST_SHARE = 1e-4
Values = Sequence[float]


def index(before: Values, after: Values) -> float:
    """Return the population stability index of a column over the deciles of the first.

    Args:
        before: the values that a model learned from, shape (rows,).
        after: the new values, shape (rows,).
    """
    edges = _deciles(before)
    olds = _shares(before, edges)
    news = _shares(after, edges)
    total = 0.0
    for old, new in zip(olds, news, strict=True):
        total += (new - old) * math.log(new / old)
    return total


def _deciles(values: Values) -> list[float]:
    """Return the values between the bins, each of which has a tenth of all."""
    ordered = sorted(values)
    edges = []
    for number in range(1, BINS):
        place = len(ordered) * number // BINS
        edges.append(ordered[place])
    return edges


def _shares(values: Values, edges: Values) -> list[float]:
    """Return the share of the values in each bin."""
    counts = [0] * BINS
    for value in values:
        place = bisect.bisect_right(edges, value)
        counts[place] += 1
    shares = []
    for count in counts:
        share = count / len(values)
        shares.append(max(share, LEAST_SHARE))
    return shares


def most_drifted(before: Sequence[Row], after: Sequence[Row]) -> str:
    """Return the column of numbers that has moved farthest."""
    indices = {}
    for column in NUMBERS:
        name = column.name
        olds = [float(row[name]) for row in before]
        news = [float(row[name]) for row in after]
        indices[name] = index(olds, news)
    return max(indices, key=lambda name: indices[name])
