"""The true gain with which a challenger is promoted, whatever its luck."""

import numpy as np

from tools.gate_study.holdout import Holdout, compare
from tools.gate_study.rules import Rule

Array = np.ndarray
# The gain is given for so many challengers of a champion.
PLACES = (1, 10, 100, 1000)
# How many challengers of each champion are looked at.
CHALLENGERS = 50
# The largest gain that is tried, in standard errors of the difference of two models.
LARGEST = 12.0
HALVINGS = 12


def needed_gains(
    holdout: Holdout, rule: Rule, champion: int, challengers: Array, place: int
) -> Array:
    """Return the smallest true gain with which each challenger is promoted.

    Args:
        holdout: the hold-out, of models that are equally good.
        rule: the rule.
        champion: the number of the model in service.
        challengers: the numbers of the others, shape (challengers,).
        place: how many challengers of the champion there were with this one.

    Returns:
        Shape (challengers,); infinite where even a model without any loss is refused.
    """
    places = np.full(len(challengers), place)

    def is_promoted(gains: Array) -> Array:
        comparison = compare(holdout, champion, challengers, gains)
        return rule.promotes(comparison, places)

    too_small = np.zeros(len(challengers))
    enough = _largest_gains(holdout, champion, challengers)
    is_refused = ~is_promoted(enough)
    for _ in range(HALVINGS):
        middle = (too_small + enough) / 2
        is_enough = is_promoted(middle)
        enough = np.where(is_enough, middle, enough)
        too_small = np.where(is_enough, too_small, middle)
    enough[is_refused] = np.inf
    return enough


def _largest_gains(holdout: Holdout, champion: int, challengers: Array) -> Array:
    """Return the largest gain that is tried for each challenger."""
    none = np.zeros(len(challengers))
    if holdout.whole is not None:
        return none + holdout.whole
    errors: Array = compare(holdout, champion, challengers, none).error
    return LARGEST * errors
