"""Sequences of pushes that all look at the same hold-out."""

from dataclasses import dataclass

import numpy as np

from pipeline.publish import error_level, winners_luck
from tools.gate_study.holdout import Comparison, Holdout, compare
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
        corrected: `luck` without the luck that the card takes off, shape (pushes,).
    """

    luck: Array
    promoted: Array
    corrected: Array


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
    promoted = np.zeros(count, dtype=bool)
    luck = np.empty(count)
    taken_off = np.empty(count)
    served = champion
    expected = 0.0
    since = 0
    while since < count:
        luck[since:] = holdout.luck[served]
        taken_off[since:] = expected
        service = _Service(holdout, rule, served)
        winner = service.first_winner(challengers[since:], gains[since:])
        if winner is None:
            break
        push = since + winner.number
        promoted[push] = True
        served = int(challengers[push])
        expected = winner.expected_luck
        luck[push] = holdout.luck[served]
        taken_off[push] = expected
        since = push + 1
    luck -= holdout.luck[champion]
    return Course(luck, promoted, luck - taken_off)


@dataclass(frozen=True)
class _Winner:
    """A challenger that is promoted.

    Attributes:
        number: its number among the challengers.
        expected_luck: what the card takes off its metric.
    """

    number: int
    expected_luck: float


@dataclass(frozen=True)
class _Service:
    """The time that one model is in service."""

    holdout: Holdout
    rule: Rule
    champion: int

    def first_winner(self, challengers: Array, gains: Array) -> _Winner | None:
        """Return the first challenger that is promoted, or None."""
        for start in range(0, len(challengers), STEP):
            step = slice(start, start + STEP)
            numbers = challengers[step]
            comparison = compare(self.holdout, self.champion, numbers, gains[step])
            places = np.arange(len(numbers)) + start + 1
            is_promoted = self.rule.promotes(comparison, places)
            if is_promoted.any():
                first = int(is_promoted.argmax())
                luck = self._expected_luck(comparison, first, start + first + 1)
                return _Winner(start + first, luck)
        return None

    def _expected_luck(self, comparison: Comparison, number: int, place: int) -> float:
        if not self.rule.corrects:
            return 0.0
        return winners_luck.expected(
            gain=float(comparison.gain[number]),
            error=float(comparison.error[number]),
            rows=comparison.rows,
            level=error_level.level(place),
        )
