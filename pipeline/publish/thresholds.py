"""The thresholds of drift: from which index on a window counts as drifted.

They are bootstrapped from the reference of the model in service.
"""

import numpy as np

from core.distributions import LEAST, MOST, SMOOTH, Distribution, psi
from core.manifest import Reference

# The share of windows without drift that may still be above one of the thresholds.
FALSE_ALARMS = 0.01
RESAMPLES = 10_000
SEED = 0

Thresholds = dict[int, dict[str, dict[str, float]]]


def bootstrap(reference: Reference, holdout_rows: int) -> Thresholds:
    """Return the thresholds of a reference, by rows of a window, part and name.

    Both the reference and the window are samples, so both are drawn anew: a reference
    of 100 rows is not an exact picture of its population. All distributions share the
    false alarms.

    Args:
        reference: the reference of a manifest.
        holdout_rows: how many rows its predictions come from.
    """
    rng = np.random.default_rng(SEED)
    parts = {
        "features": (reference.features, reference.rows),
        "predictions": (reference.predictions, holdout_rows),
    }
    count = len(reference.features) + len(reference.predictions)
    false_alarms = FALSE_ALARMS / count
    thresholds: Thresholds = {}
    for size in (LEAST, MOST):
        thresholds[size] = {}
        for part, (distributions, rows) in parts.items():
            thresholds[size][part] = {
                name: _threshold(distribution, rows, size, false_alarms, rng)
                for name, distribution in distributions.items()
            }
    return thresholds


def _threshold(
    distribution: Distribution,
    rows: int,
    size: int,
    false_alarms: float,
    rng: np.random.Generator,
) -> float:
    """Return the index that a share of windows of so many rows exceeds by chance."""
    # Each resample has a population of its own, drawn from the reference.
    drawn = rng.multinomial(rows, distribution.normalized(), RESAMPLES)
    smooth = drawn + SMOOTH
    populations = smooth / smooth.sum(axis=1, keepdims=True)
    windows = rng.multinomial(size, populations)
    indices = psi(distribution.shares, rows, windows)
    threshold = np.quantile(indices, 1 - false_alarms)
    return float(f"{threshold:.4g}")
