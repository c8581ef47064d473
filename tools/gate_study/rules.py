"""The rules that are compared: the gate's own, and those that it was chosen from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.publish.error_level import FALSE_PROMOTIONS, level
from tools.gate_study.holdout import Comparison

Array = np.ndarray
# From a comparison, and the place of each challenger among those of its champion (from
# 1), to whether each is promoted.
Promotes = Callable[[Comparison, Array], Array]


@dataclass(frozen=True)
class Rule:
    """A rule with its name in the table.

    Attributes:
        name: its name.
        promotes: which challengers it promotes.
        corrects: whether the luck that it selects for is taken off the card's metric.
    """

    name: str
    promotes: Promotes
    corrects: bool = False


def interval(comparison: Comparison, places: Array) -> Array:
    """Require a 95 % interval above zero, as the gate did before it counted."""
    return comparison.low > 0


def same_level(pushes: int) -> Promotes:
    """Return the rule that shares the allowed error evenly among the pushes."""

    def promotes(comparison: Comparison, places: Array) -> Array:
        share = FALSE_PROMOTIONS / pushes
        levels = np.full(len(places), share)
        return _is_beyond(comparison, levels)

    return promotes


def level_by_place(comparison: Comparison, places: Array) -> Array:
    """Require what the gate requires of each challenger of a champion."""
    levels = [level(place) for place in places.tolist()]
    return _is_beyond(comparison, np.array(levels))


def _is_beyond(comparison: Comparison, levels: Array) -> Array:
    """Require a t-test at these levels."""
    freedom = comparison.rows - 1
    limits = stats.t.isf(levels, freedom)
    is_beyond: Array = comparison.gain > limits * comparison.error
    return is_beyond


def rules(pushes: int) -> list[Rule]:
    """Return the rules in the order of the table.

    Args:
        pushes: how many pushes a sequence has.
    """
    return [
        Rule("95 % interval", interval),
        Rule(f"one level for {pushes:,} pushes", same_level(pushes)),
        Rule("level by challenger", level_by_place, corrects=True),
    ]
