"""Distributions of values, and how far a window has moved from a reference.

The distance is the population stability index (PSI), the sum over the bins of
(p - q) ln(p / q). Source: B. Yurdakul and J. Naranjo, "Statistical properties of the
population stability index", Journal of Risk Model Validation (2020).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

# Rows of a window. With fewer the index is mostly chance; with more it finds
# differences that do not matter.
LEAST = 300
MOST = 1000
# Added to the count of every bin: one that is empty by chance would make the index
# infinite.
SMOOTH = 0.5
Values = Sequence[Any] | NDArray[Any]
DECILES = np.linspace(0.1, 0.9, 9)


class Distribution(BaseModel):
    """The shares of categories, or of numbers between edges.

    Attributes:
        edges: of numbers, the inner edges of the bins, rising, without repeats.
        categories: of categories, their names.
        shares: for each category its share; of numbers the share up to the first edge,
            from there up to the second, ..., and above the last.
    """

    model_config = ConfigDict(frozen=True)

    edges: list[float] = []
    categories: list[str] = []
    shares: list[float]

    @classmethod
    def of_categories(
        cls, values: Iterable[str], categories: Sequence[str]
    ) -> "Distribution":
        """Return how often each category occurs among values."""
        occurrences = Counter(values)
        counts = [occurrences[category] for category in categories]
        shares = np.array(counts) / occurrences.total()
        return cls(categories=list(categories), shares=shares.tolist())

    @classmethod
    def of_numbers(cls, values: ArrayLike) -> "Distribution":
        """Return the distribution of numbers, shape (rows,), between their deciles.

        The edges have 6 significant digits.
        """
        numbers = np.asarray(values, dtype=float)
        deciles = np.quantile(numbers, DECILES)
        rounded = [float(f"{decile:.6g}") for decile in deciles]
        edges = np.unique(rounded)
        bins = np.searchsorted(edges, numbers, side="left")
        bin_count = len(edges) + 1
        counts = np.bincount(bins, minlength=bin_count)
        shares = counts / len(numbers)
        return cls(edges=edges.tolist(), shares=shares.tolist())

    def bins(self, values: Values) -> NDArray[np.intp]:
        """Return each value's bin, shape (rows,).

        Raises:
            KeyError: a value is not one of the categories.
        """
        if not self.categories:
            numbers = np.asarray(values, dtype=float)
            return np.searchsorted(self.edges, numbers, side="left")
        places = {}
        for place, category in enumerate(self.categories):
            places[category] = place
        bins = [places[value] for value in values]
        return np.array(bins, dtype=np.intp)

    def count(self, values: Values) -> NDArray[np.int64]:
        """Return how many values fall into each bin, shape (bins,)."""
        bins = self.bins(values)
        return np.bincount(bins, minlength=len(self.shares))

    def normalized(self) -> NDArray[np.float64]:
        """Return the shares with a sum of exactly 1, shape (bins,).

        In files they are rounded.
        """
        shares = np.asarray(self.shares, dtype=float)
        total = shares.sum()
        return np.asarray(shares / total)


def psi(shares: Sequence[float], rows: int, counts: NDArray[np.int64]) -> Any:
    """Return the population stability index of counts against a reference.

    Args:
        shares: the reference's shares of the bins.
        rows: how many rows the reference has.
        counts: shape (bins,), or (windows, bins) for an array of indices.

    Returns:
        A number, or an array of shape (windows,); 0 means that there is no difference.
    """
    reference_counts = np.asarray(shares) * rows
    reference = _smoothed_shares(reference_counts, rows)
    totals = counts.sum(axis=-1, keepdims=True)
    window = _smoothed_shares(counts, totals)
    difference = window - reference
    logarithm = np.log(window / reference)
    of_bins = difference * logarithm
    return of_bins.sum(axis=-1)


def _smoothed_shares(counts: NDArray[Any], total: int | NDArray[Any]) -> NDArray[Any]:
    """Return the shares of counts, none of which is 0."""
    bins = counts.shape[-1]
    smoothed = counts + SMOOTH
    smoothed_total = total + SMOOTH * bins
    shares: NDArray[Any] = smoothed / smoothed_total
    return shares
