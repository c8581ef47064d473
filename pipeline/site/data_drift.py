"""How far the table of one training has moved from that of an earlier one.

The history has the distribution of each column as shares between deciles, and not its
rows. The population stability index of two tables is therefore estimated: within a bin
the values are taken as evenly spread, and beyond the first and the last edge as falling
off exponentially.
"""

import numpy as np
from numpy.typing import NDArray

from core.distributions import Distribution, psi

_LEAST = 1e-12  # instead of a share or a length of 0, by which nothing can be divided


def between(
    earlier: Distribution,
    later: Distribution,
    earlier_rows: int,
    later_rows: int,
) -> float | None:
    """Return the index of a later distribution against an earlier one.

    Args:
        earlier_rows: how many rows the earlier table has.
        later_rows: the same of the later one.

    Returns:
        0 for equal distributions; None if the two are not of the same kind.
    """
    if earlier.categories != later.categories:
        return None
    shares = later.normalized()
    if earlier.edges != later.edges:
        edges = np.asarray(earlier.edges)
        shares = _shares_between(later, edges)
    counts = np.rint(shares * later_rows)
    whole_counts = counts.astype(np.int64)
    reference = earlier.normalized().tolist()
    index = psi(reference, earlier_rows, whole_counts)
    return float(index)


def _shares_between(
    distribution: Distribution, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a distribution's shares in other bins, shape (edges + 1,)."""
    own_edges = np.asarray(distribution.edges)
    lowest = own_edges[0]
    highest = own_edges[-1]
    up_to_own_edges = np.asarray(cumulative(distribution))
    up_to_edges = np.interp(edges, own_edges, up_to_own_edges)
    first, last = _tail_lengths(distribution)
    is_below = edges < lowest
    depth = (lowest - edges[is_below]) / first
    share_below = up_to_own_edges[0]
    up_to_edges[is_below] = share_below * np.exp(-depth)
    is_above = edges > highest
    height = (edges[is_above] - highest) / last
    share_above = 1 - up_to_own_edges[-1]
    share_beyond = share_above * np.exp(-height)
    up_to_edges[is_above] = 1 - share_beyond
    ends = np.concatenate(([0.0], up_to_edges, [1.0]))
    return np.diff(ends)


def _tail_lengths(distribution: Distribution) -> tuple[float, float]:
    """Return the scale of the exponential decay below the first and above the last edge.

    The density goes on from the bin beside the tail without a step.
    """
    shares = distribution.normalized()
    widths = np.diff(distribution.edges)
    if not len(widths):
        return 1.0, 1.0
    first = shares[0] * widths[0]
    first /= max(shares[1], _LEAST)
    last = shares[-1] * widths[-1]
    last /= max(shares[-2], _LEAST)
    first_length = max(float(first), _LEAST)
    last_length = max(float(last), _LEAST)
    return first_length, last_length


def cumulative(distribution: Distribution) -> list[float]:
    """Return the share of values up to each edge."""
    shares = distribution.normalized()
    sums = shares.cumsum()
    up_to_edges = sums[:-1]
    return [float(share) for share in up_to_edges]
