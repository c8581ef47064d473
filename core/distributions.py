"""The population stability index: how far values have moved from a model's reference.

It is the sum over the bins of (p - q) ln(p / q). Source: B. Yurdakul and J. Naranjo,
"Statistical properties of the population stability index", Journal of Risk Model
Validation (2020).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

# Rows a window: with fewer the index is chance, with more it sees what does not matter.
LEAST, MOST = 300, 1000
# What every bin gets in addition: one that is empty by chance would make the index
# infinite.
SMOOTH = 0.5


class Distribution(BaseModel):
    """Shares of `categories`, or of the numbers up to each edge and, the last, above
    all edges.
    """

    model_config = ConfigDict(frozen=True)

    edges: list[float] = []
    categories: list[str] = []
    shares: list[float]

    def count(self, values: Sequence[Any]) -> NDArray[np.int64]:
        """Return how many values fall into each bin, shape (bins,)."""
        if self.categories:
            places = {category: place for place, category in enumerate(self.categories)}
            found: ArrayLike = [places[value] for value in values]
        else:
            found = np.searchsorted(self.edges, np.asarray(values, float), side="left")
        return np.bincount(found, minlength=len(self.shares))


def psi(shares: Sequence[float], rows: int, counts: NDArray[np.int64]) -> Any:
    """Return the index of counts against a reference of so many rows; 0 means no
    difference.

    Args:
        counts: shape (bins,), or (windows, bins) for an array of indices.
    """
    bins = len(shares)
    reference = (np.asarray(shares) * rows + SMOOTH) / (rows + SMOOTH * bins)
    window = (counts + SMOOTH) / (counts.sum(axis=-1, keepdims=True) + SMOOTH * bins)
    return ((window - reference) * np.log(window / reference)).sum(axis=-1)
