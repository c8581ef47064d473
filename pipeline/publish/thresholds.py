"""Thresholds above which a window of predictions has drifted, by a bootstrap."""

from typing import Any

import numpy as np

from core.distributions import LEAST, MOST, SMOOTH, Distribution, psi

# The share of windows without drift that still exceed one of the thresholds.
FALSE_ALARMS = 0.01
RESAMPLES = 10_000
SEED = 0

Reference = dict[str, Any]


def bootstrap(reference: Reference, holdout_rows: int) -> dict[str, Any]:
    """Return the thresholds of a manifest's `reference`, by window size, part and name.

    Both the reference and the window are samples, so both are resampled: a reference of
    100 rows is itself not an exact picture of its population. All features and
    predictions together have the rate of false alarms.
    """
    rng = np.random.default_rng(SEED)
    rows = {"features": reference["rows"], "predictions": holdout_rows}
    count = sum(len(reference[part]) for part in rows)
    share = FALSE_ALARMS / count
    thresholds: dict[str, Any] = {}
    for size in (LEAST, MOST):
        parts: dict[str, dict[str, float]] = {}
        for part, part_rows in rows.items():
            parts[part] = {}
            for name, values in reference[part].items():
                distribution = Distribution(**values)
                parts[part][name] = _threshold(
                    distribution, part_rows, size, share, rng
                )
        thresholds[str(size)] = parts
    return thresholds


def _threshold(
    distribution: Distribution,
    rows: int,
    size: int,
    share: float,
    rng: np.random.Generator,
) -> float:
    shares = np.asarray(distribution.shares) / np.sum(distribution.shares)
    # Another population for each of the windows.
    counts = rng.multinomial(rows, shares, RESAMPLES) + SMOOTH
    populations = counts / counts.sum(axis=1, keepdims=True)
    windows = rng.multinomial(size, populations)
    indices = psi(distribution.shares, rows, windows)
    return float(f"{np.quantile(indices, 1 - share):.4g}")
