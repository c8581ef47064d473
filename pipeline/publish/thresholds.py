"""From when on a window of predictions counts as drifted: bootstrapped from the
reference.
"""

from typing import Any

import numpy as np

from core.distributions import LEAST, MOST, SMOOTH, Distribution, psi

# The share of windows without drift that may still be over a threshold of theirs.
FALSE_ALARMS = 0.01
RESAMPLES = 10_000
SEED = 0

Reference = dict[str, Any]


def bootstrap(reference: Reference, holdout_rows: int) -> dict[str, Any]:
    """Return the thresholds of a manifest's `reference`, by window size, part and name.

    Both the reference and the window are samples, so both are drawn anew: a reference
    of 100 rows is itself no exact picture of its population. All that is looked at
    shares the false alarms.
    """
    rng = np.random.default_rng(SEED)
    rows = {"features": reference["rows"], "predictions": holdout_rows}
    share = FALSE_ALARMS / sum(len(reference[part]) for part in rows)
    return {
        str(size): {
            part: {
                name: _threshold(Distribution(**found), rows[part], size, share, rng)
                for name, found in reference[part].items()
            }
            for part in rows
        }
        for size in (LEAST, MOST)
    }


def _threshold(
    found: Distribution, rows: int, size: int, share: float, rng: np.random.Generator
) -> float:
    shares = np.asarray(found.shares) / np.sum(found.shares)
    drawn = (
        rng.multinomial(rows, shares, RESAMPLES) + SMOOTH
    )  # a population of its own each time
    windows = rng.multinomial(size, drawn / drawn.sum(axis=1, keepdims=True))
    return float(f"{np.quantile(psi(found.shares, rows, windows), 1 - share):.4g}")
