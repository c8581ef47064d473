"""How far a column has moved between two tables: the population stability index."""

import bisect
import math
from collections.abc import Sequence

from course.orchard import NUMBERS, Row

BINS = 10
# So that an empty bin has a logarithm.
LEAST_SHARE = 1e-4


def index(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the population stability index of a column over the deciles of the first.

    Args:
        before: the values that a model learned from, shape (rows,).
        after: the new values, shape (rows,).
    """
    ordered = sorted(before)
    edges = [ordered[len(ordered) * place // BINS] for place in range(1, BINS)]
    pairs = zip(_shares(before, edges), _shares(after, edges), strict=True)
    return sum((new - old) * math.log(new / old) for old, new in pairs)


def _shares(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    counts = [0] * BINS
    for value in values:
        counts[bisect.bisect_right(edges, value)] += 1
    return [max(count / len(values), LEAST_SHARE) for count in counts]


def most_drifted(before: Sequence[Row], after: Sequence[Row]) -> str:
    """Return the column of numbers that has moved farthest."""
    indices = {}
    for column in NUMBERS:
        olds = [float(row[column.name]) for row in before]
        news = [float(row[column.name]) for row in after]
        indices[column.name] = index(olds, news)
    return max(indices, key=lambda name: indices[name])
