"""The rules that are compared: when a challenger replaces the champion.

A rule returns the true gain that each challenger would have needed: it replaces the
champion if its true gain is above that. A challenger without a true gain needs more than
none unless it is lucky.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tools.gate_study.holdout import Comparison

Array = np.ndarray
# From a comparison, and the place of each challenger among those of its champion (from
# 1), to the gain that each would have needed.
Needed = Callable[[Comparison, Array], Array]

# The false promotions that a sequence of pushes may have, as a probability.
ALLOWED = 0.01


@dataclass(frozen=True)
class Rule:
    """A rule with its name in the table."""

    name: str
    needed: Needed


def interval(comparison: Comparison, places: Array) -> Array:
    """Require a 95 % interval above zero, however many challengers there were."""
    return -comparison.low


def same_level(pushes: int) -> Needed:
    """Return the rule that shares the allowed error among a fixed number of pushes."""

    def needed(comparison: Comparison, places: Array) -> Array:
        levels = np.full(len(places), ALLOWED / pushes)
        return _beyond(comparison, levels)

    return needed


def _beyond(comparison: Comparison, levels: Array) -> Array:
    """Require a t-test at these levels."""
    limits = stats.t.isf(levels, comparison.rows - 1)
    return limits * comparison.error - comparison.gain


def rules(pushes: int) -> list[Rule]:
    """Return the rules in the order of the table.

    Args:
        pushes: how many pushes a sequence has.
    """
    return [
        Rule("95 % interval", interval),
        Rule(f"level for {pushes:,} pushes", same_level(pushes)),
    ]
