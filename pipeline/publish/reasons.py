"""The sentences of the gate's checks.

Each says what was measured and how it compares with what is required, so that it shows
without the name of the check whether it passed.
"""

from core.manifest import Parity
from pipeline.schema import Metric
from pipeline.train.slice_rows import SliceRows

NO_CHAMPION = "there was no champion to compare it with"
SAME_FILE = "the challenger's ONNX file is identical to the champion's"
# The usual names of the metrics; any other metric is shown by its own name.
METRICS = {
    "accuracy": "accuracy",
    "brier": "Brier score",
    "f1_macro": "macro F1",
    "log_loss": "log loss",
    "mae": "MAE",
    "r2": "R²",
    "rmse": "RMSE",
    "roc_auc": "ROC AUC",
}
DIGITS = range(3, 8)


def against_champion(
    metric: str,
    challenger: float,
    champion: float,
    difference: tuple[float, float],
    better: bool,
    higher_is_better: bool,
    test: str = "",
) -> str:
    """Compare the challenger's metric with the champion's.

    Args:
        difference: the 95 % interval of the challenger's metric minus the champion's.
        better: whether the challenger is significantly better.
        higher_is_better: the direction of the metric.
        test: the significance of a gain; see `significance`. Earlier versions decided
            by the interval.
    """
    new, old = _as_different(challenger, champion)
    relation = _relation(challenger, champion, better, higher_is_better)
    low, high = difference
    interval = f"95 % interval of the difference {low:.3g} to {high:.3g}"
    if not higher_is_better:
        interval += "; lower is better"
    is_above = challenger > champion
    if test and challenger != champion and is_above == higher_is_better:
        interval += f"; {test}"
    name = METRICS.get(metric, metric)
    return f"{name} {new} is {relation} the champion's {old} ({interval})"


def significance(p_value: float, level: float, place: int) -> str:
    """Compare a gain's p-value with the level that the gate requires.

    Args:
        p_value: the probability of such a gain if the challenger is no better.
        level: the p-value with which the challenger would just not be promoted.
        place: which challenger of this champion it is, from 1.
    """
    relation = "not below"
    if p_value < level:
        relation = "below"
    return (
        f"p-value {p_value:.2g} is {relation} {level:.2g}, the level for challenger"
        f" {place:,} of this champion"
    )


def _relation(
    challenger: float, champion: float, better: bool, higher_is_better: bool
) -> str:
    """Return how the challenger's metric compares with the champion's."""
    if challenger == champion:
        return "equal to"
    is_above = challenger > champion
    side = "above" if is_above else "below"
    looks_better = is_above == higher_is_better
    if looks_better and not better:
        return f"not significantly {side}"
    return side


def on_slice(
    metric: Metric,
    group: SliceRows,
    challenger: float,
    champion: float,
    p_value: float,
    level: float,
) -> str:
    """Compare the challenger's metric on a group of rows with the champion's.

    Args:
        metric: the task's metric.
        group: the group.
        p_value: the probability of such a loss if the challenger is no worse.
        level: the p-value with which the challenger would just not be refused.
    """
    new, old = _as_different(challenger, champion)
    name = METRICS.get(metric.name, metric.name)
    relation = _relation(challenger, champion, True, metric.higher_is_better)
    loss = champion - challenger
    if not metric.higher_is_better:
        loss = -loss
    text = (
        f"{name} on the {len(group.rows):,} rows of {group.slice}: {group.group} is"
        f" {new}, {relation} the champion's {old}"
    )
    if loss <= 0:
        return text
    if loss <= group.may_lose:
        return f"{text}, by no more than the allowed {group.may_lose:g}"
    side = "not below"
    if p_value < level:
        side = "below"
    return (
        f"{text}, by more than the allowed {group.may_lose:g} (p-value {p_value:.2g} is"
        f" {side} {level:.2g})"
    )


def champion_lacks(columns: list[str]) -> str:
    """Name the columns that the champion needs and the data no longer has."""
    names = ", ".join(columns)
    return f"the champion needs columns that the data no longer has ({names})"


def threshold(metric: str, value: float, limit: float, higher_is_better: bool) -> str:
    """Compare a metric with the task's own threshold for it."""
    measured, required = _as_different(value, limit)
    name = METRICS.get(metric, metric)
    if higher_is_better:
        verb = "meets" if value >= limit else "is below"
        limit_name = "required minimum"
    else:
        verb = "is within" if value <= limit else "is above"
        limit_name = "allowed maximum"
    return f"{name} {measured} {verb} the {limit_name} of {required}"


def parity(measured: Parity) -> str:
    """Give the number of rows on which the ONNX file and the estimator disagree."""
    largest = f"the largest difference is {measured.largest_difference:.3g}"
    if measured.mismatches == 0:
        return (
            "the ONNX file agrees with the estimator on all"
            f" {measured.rows} hold-out rows to within {measured.tolerance:g}"
            f" ({largest})"
        )
    return (
        f"the ONNX file differs from the estimator by more than {measured.tolerance:g}"
        f" on {measured.mismatches} of {measured.rows} hold-out rows ({largest})"
    )


def size(measured: int, budget: int) -> str:
    """Compare the size of the ONNX file with the budget, both in bytes."""
    relation = "over"
    if measured <= budget:
        relation = "within"
    return (
        f"the ONNX file has {measured:,} bytes, which is {relation} the budget of"
        f" {budget:,} bytes"
    )


def latency(measured: float, budget: float) -> str:
    """Compare the time of one prediction with the budget, both in milliseconds.

    The time is given only if it is too long, because it varies between trainings.
    """
    if measured <= budget:
        return f"the time of one prediction is within the budget of {budget:g} ms"
    return (
        f"one prediction takes {measured:.3g} ms, which is over the budget of"
        f" {budget:g} ms"
    )


def behavioural_test(name: str, detail: str) -> str:
    """Name a behavioural test that failed, with its numbers."""
    return f'the behavioural test "{name}" failed ({detail})'


def _as_different(one: float, other: float) -> tuple[str, str]:
    """Return two numbers with three digits, or with as many as show a difference."""
    for digits in DIGITS:
        first = _number(one, digits)
        second = _number(other, digits)
        if first != second or one == other:
            break
    return first, second


def _number(value: float, digits: int) -> str:
    """Return a number with significant digits, a large one without an exponent."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
