"""How much of a promoted challenger's gain was luck.

Of challengers with the same true gain, those are promoted that look best on the
hold-out, so what the promoted ones show there is too much: the winner's curse.
"""

import math

from scipy import optimize, special

from pipeline.schema import Metric

SUFFIX = "_corrected"  # of the metric without the luck


def expected(gain: float, error: float, rows: int, level: float) -> float:
    """Return the luck that is expected in the gain of a promoted challenger.

    Its true gain is estimated as the one with which half of the promoted challengers
    would look better than it does, and half less good; none at least.

    Args:
        gain: how much better than the champion it is on the hold-out, above zero.
        error: the standard error of the gain.
        rows: how many rows the hold-out has.
        level: the p-value below which it was promoted.

    Returns:
        From 0 to the gain, in its units.
    """
    if error == 0:
        return 0.0
    least = -float(special.stdtrit(rows - 1, level))
    shown = gain / error
    return gain - _true_gain(shown, least) * error


def _true_gain(shown: float, least: float) -> float:
    """Return the estimate, from 0 to `shown`; all are in standard errors.

    Args:
        shown: the gain on the hold-out.
        least: the gain above which a challenger is promoted.
    """

    def excess(true: float) -> float:
        look_better = special.log_ndtr(true - shown)
        are_promoted = special.log_ndtr(true - least)
        return float(look_better - are_promoted - math.log(0.5))

    if excess(0) >= 0:
        return 0.0
    return float(optimize.brentq(excess, 0, shown))


def corrected(
    metric: Metric, measured: dict[str, float], luck: float | None
) -> dict[str, float]:
    """Return a champion's metrics on the hold-out, and the one without its luck.

    Args:
        metric: the task's metric.
        measured: the metrics by name.
        luck: how much better than in truth it is expected to look; None if it did not
            replace another model by its gain.
    """
    if luck is None:
        return measured
    sign = 1 if metric.higher_is_better else -1
    value = measured[metric.name] - sign * luck
    return measured | {metric.name + SUFFIX: value}
