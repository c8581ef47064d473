"""What the gate's checks say: sentences that read the same on their own as in a list.

Each says what was measured and how it stands to what is required, so that no name of a
check is needed to tell whether it passed.
"""

from pipeline.bundle import Parity

NO_CHAMPION = "there is no champion yet"
SAME_FILE = "the challenger's ONNX file is identical to the champion's"
# What people call the metrics; another one is shown by its own name.
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
) -> str:
    """Compare the challenger's metric with the champion's.

    Args:
        difference: the 95 % interval of the challenger's metric minus the champion's.
        better: whether the challenger is better beyond doubt.
        higher_is_better: the direction of the metric.
    """
    new, old = _as_different(challenger, champion)
    if challenger == champion:
        comparison = "equal to"
    else:
        comparison = "above" if challenger > champion else "below"
        looks_better = (challenger > champion) == higher_is_better
        if looks_better and not better:
            comparison = f"not clearly {comparison}"
    low, high = difference
    interval = f"95 % interval of the difference {low:.3g} to {high:.3g}"
    if not higher_is_better:
        interval += "; lower is better"
    name = METRICS.get(metric, metric)
    return f"{name} {new} is {comparison} the champion's {old} ({interval})"


def champion_lacks(columns: list[str]) -> str:
    """Say that the champion needs columns that the data no longer has."""
    return f"the champion needs {', '.join(columns)}, which the data no longer has"


def threshold(metric: str, value: float, limit: float, higher_is_better: bool) -> str:
    """Compare a metric with the task's own threshold for it."""
    measured, required = _as_different(value, limit)
    name = METRICS.get(metric, metric)
    if higher_is_better:
        verb = "reaches" if value >= limit else "is below"
        return f"{name} {measured} {verb} the required minimum of {required}"
    verb = "is within" if value <= limit else "is above"
    return f"{name} {measured} {verb} the allowed maximum of {required}"


def parity(measured: Parity) -> str:
    """Say on how many rows the ONNX file and the estimator disagree."""
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
    relation = "within" if measured <= budget else "over"
    return f"the ONNX file's {measured:,} bytes are {relation} the budget of {budget:,}"


def latency(measured: float, budget: float) -> str:
    """Compare the time of one prediction with the budget, both in milliseconds.

    The time is named only if it is too long: it is another number in every training.
    """
    if measured <= budget:
        return f"one prediction is within the budget of {budget:g} ms"
    return f"one prediction takes {measured:.3g} ms, over the budget of {budget:g} ms"


def behavioural_test(name: str, detail: str) -> str:
    """Say that a behavioural test failed, and by what numbers."""
    return f'the behavioural test "{name}" failed ({detail})'


def _as_different(one: float, other: float) -> tuple[str, str]:
    """Return two numbers with three digits, or as many more as tell them apart."""
    for digits in DIGITS:
        first = _number(one, digits)
        second = _number(other, digits)
        if first != second or one == other:
            break
    return first, second


def _number(value: float, digits: int) -> str:
    """Return a number with significant digits, a large one without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"
