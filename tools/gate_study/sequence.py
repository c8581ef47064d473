"""Sequences of pushes that all look at the same hold-out."""

from dataclasses import dataclass

import numpy as np

from tools.gate_study.holdout import Holdout, compare
from tools.gate_study.rules import Rule

Array = np.ndarray
# Challengers that are compared with a champion in one step.
STEP = 100


@dataclass(frozen=True)
class Course:
    """What became of a sequence of pushes.

    Attributes:
        luck: how much more luck the model in service has than the first champion, after
            each push; shape (pushes,).
        promoted: which pushes were promoted, shape (pushes,).
    """

    luck: Array
    promoted: Array


def play(
    holdout: Holdout,
    rule: Rule,
    champion: int,
    challengers: Array,
    gains: Array,
) -> Course:
    """Let a rule decide about one challenger after the other.

    Args:
        holdout: the hold-out of all pushes.
        rule: the rule.
        champion: the number of the first champion.
        challengers: the numbers of the models, in the order of their pushes.
        gains: how much better each truly is than the model in service.
    """
    count = len(challengers)
    luck = np.empty(count)
    promoted = np.zeros(count, dtype=bool)
    served = champion
    since = 0
    while since < count:
        service = _Service(holdout, rule, served)
        winner = service.first_winner(challengers[since:], gains[since:])
        if winner is None:
            luck[since:] = holdout.luck[served]
            break
        push = since + winner
        luck[since:push] = holdout.luck[served]
        served = int(challengers[push])
        luck[push] = holdout.luck[served]
        promoted[push] = True
        since = push + 1
    return Course(luck - holdout.luck[champion], promoted)


@dataclass(frozen=True)
class _Service:
    """The time that one model is in service."""

    holdout: Holdout
    rule: Rule
    champion: int

    def first_winner(self, challengers: Array, gains: Array) -> int | None:
        """Return the number of the first challenger that is promoted, or None."""
        for start in range(0, len(challengers), STEP):
            step = slice(start, start + STEP)
            numbers = challengers[step]
            comparison = compare(self.holdout, self.champion, numbers)
            places = np.arange(len(numbers)) + start + 1
            is_promoted = gains[step] > self.rule.needed(comparison, places)
            if is_promoted.any():
                return start + int(is_promoted.argmax())
        return None
