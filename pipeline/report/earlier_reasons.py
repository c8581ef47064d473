"""Rewords the gate's reasons that earlier versions wrote into the history.

They began with the name of a check that failed, such as "better than champion", which
read as the opposite of what had happened. The history itself is never rewritten.
"""

import re

from pipeline.publish import reasons
from pipeline.train.evaluate import higher_is_better

_NUMBER = r"-?\d[\d.e+-]*"
_COMPARISON = re.compile(
    r"(?:better than champion: )?"
    rf"(?P<metric>\w+) (?P<challenger>{_NUMBER})"
    rf" against the champion's (?P<champion>{_NUMBER});"
    rf" 95 % interval of the gain (?P<low>{_NUMBER}) to (?P<high>{_NUMBER})"
)
_THRESHOLD = re.compile(
    rf"threshold (?P<metric>\w+): (?P<value>{_NUMBER}),"
    rf" required at (?P<bound>least|most) (?P<limit>{_NUMBER})"
)
_PHRASES = {
    "better than champion: it is the champion's very file, a tie": reasons.SAME_FILE,
    "better than champion: ": "not better than the champion: ",
    "there is no champion yet": reasons.NO_CHAMPION,
}


def reword(reason: str) -> str:
    """Return a reason in the present wording."""
    text = _COMPARISON.sub(_comparison, reason)
    text = _THRESHOLD.sub(_threshold, text)
    for earlier, present in _PHRASES.items():
        text = text.replace(earlier, present)
    return text


def _comparison(match: re.Match[str]) -> str:
    metric = match["metric"]
    low = float(match["low"])
    high = float(match["high"])
    higher = higher_is_better(metric)
    # A gain is positive if the challenger is better, whatever the metric's direction.
    difference = (low, high) if higher else (-high, -low)
    return reasons.against_champion(
        metric,
        challenger=float(match["challenger"]),
        champion=float(match["champion"]),
        difference=difference,
        better=low > 0,
        higher_is_better=higher,
    )


def _threshold(match: re.Match[str]) -> str:
    return reasons.threshold(
        match["metric"],
        value=float(match["value"]),
        limit=float(match["limit"]),
        higher_is_better=match["bound"] == "least",
    )
