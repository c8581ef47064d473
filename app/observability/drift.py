"""Drift: whether the newest predictions look like the reference data."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.observability.prediction_log import Row
from app.serving.model import Model
from core.distributions import LEAST, MOST, Distribution, psi
from core.manifest import Reference

# The newest predictions of a model that are compared: two windows.
MAX_ROWS = 2 * MOST
Verdict = Literal["drift", "no drift", "too few rows", "no thresholds"]
Window = list[Row]
Value = Callable[[Row], Any]


class DriftWindow(BaseModel):
    """Predictions that followed each other."""

    rows: int
    since: datetime
    until: datetime
    drifted: list[str] = Field(description="What exceeds its threshold in this window.")


class DriftPart(BaseModel):
    """One feature, or one part of the predictions."""

    psi: float | None = Field(
        description="In the newest window, if there are enough rows."
    )
    previous: float | None = Field(description="In the window before.")
    threshold: float | None = Field(description="A larger PSI counts as drift.")
    reference: Distribution
    shares: list[float] | None = Field(
        description="The distribution in the newest window."
    )


class Drift(BaseModel):
    """A task's newest predictions, compared with the reference in its manifest."""

    task: str
    version: int
    run_id: str
    verdict: Verdict
    drifted: list[str] = Field(
        description="What exceeds its threshold in both windows."
    )
    rows: int = Field(
        description="Predictions of this version in the log, up to 2,000."
    )
    rows_needed: int = Field(
        2 * LEAST, description="The least number of rows for a verdict."
    )
    windows: list[DriftWindow] = Field(description="The newest first.")
    features: dict[str, DriftPart]
    predictions: dict[str, DriftPart]


def measure_drift(model: Model, rows: list[Row]) -> Drift:
    """Compare a model's predictions, newest first, with its reference.

    They are divided into two windows of up to 1,000 rows: drift is what both show.
    """
    manifest = model.manifest
    size = max(LEAST, min(len(rows) // 2, MOST))
    halves = (rows[:size], rows[size : 2 * size])
    windows = [window for window in halves if len(window) == size]
    thresholds = _thresholds(manifest.reference, size)
    features = _features(model, windows, thresholds.get("features", {}))
    predictions = _predictions(model, windows, thresholds.get("predictions", {}))
    parts = dict(features)
    for name, part in predictions.items():
        parts[f"prediction {name}"] = part
    newest = [name for name, part in parts.items() if _exceeds(part.psi, part)]
    previous = [name for name, part in parts.items() if _exceeds(part.previous, part)]
    both = [name for name in newest if name in previous]
    described = []
    for window, drifted in zip(windows, (newest, previous), strict=False):
        described.append(_describe(window, drifted))
    return Drift(
        task=manifest.task,
        version=manifest.version,
        run_id=manifest.run_id,
        verdict=_verdict(len(windows), bool(thresholds), bool(both)),
        drifted=both,
        rows=len(rows),
        windows=described,
        features=features,
        predictions=predictions,
    )


def _thresholds(reference: Reference, size: int) -> dict[str, dict[str, float]]:
    """Return the thresholds for windows of a size; empty if there are none.

    They are bootstrapped for some sizes: that of a smaller window is on the safe side.
    """
    sizes = [smaller for smaller in reference.thresholds if smaller <= size]
    if not sizes:
        return {}
    return reference.thresholds[max(sizes)]


def _features(
    model: Model, windows: list[Window], thresholds: dict[str, float]
) -> dict[str, DriftPart]:
    reference = model.manifest.reference
    parts = {}
    for name, distribution in reference.features.items():
        parts[name] = _compare(
            distribution,
            reference.rows,
            thresholds.get(name),
            windows,
            _feature(name),
        )
    return parts


def _predictions(
    model: Model, windows: list[Window], thresholds: dict[str, float]
) -> dict[str, DriftPart]:
    manifest = model.manifest
    parts = {}
    for name, distribution in manifest.reference.predictions.items():
        parts[name] = _compare(
            distribution,
            manifest.holdout.rows,
            thresholds.get(name),
            windows,
            _predicted(name, model),
        )
    return parts


def _compare(
    reference: Distribution,
    reference_rows: int,
    threshold: float | None,
    windows: list[Window],
    value: Value,
) -> DriftPart:
    """Return the PSI of one value in each window, the newest window first."""
    counts = []
    indices = []
    for window in windows:
        count = reference.count([value(row) for row in window])
        index = psi(reference.shares, reference_rows, count)
        counts.append(count)
        indices.append(float(index))
    return DriftPart(
        psi=indices[0] if indices else None,
        previous=indices[1] if len(indices) > 1 else None,
        threshold=threshold,
        reference=reference,
        shares=(counts[0] / counts[0].sum()).tolist() if counts else None,
    )


def _feature(name: str) -> Value:
    """Return a function that reads a feature from a row."""
    return lambda row: row.features[name]


def _predicted(part: str, model: Model) -> Value:
    """Return a function that reads one part of a prediction from a row."""
    if part == "probability":
        positive = model.manifest.target.classes[-1]
        return lambda row: row.prediction["probabilities"][positive]
    return lambda row: row.prediction["prediction"]


def _exceeds(value: float | None, part: DriftPart) -> bool:
    if value is None or part.threshold is None:
        return False
    return value > part.threshold


def _verdict(windows: int, has_thresholds: bool, drifted: bool) -> Verdict:
    if windows < 2:
        return "too few rows"
    if drifted:
        return "drift"
    return "no drift" if has_thresholds else "no thresholds"


def _describe(window: Window, drifted: list[str]) -> DriftWindow:
    return DriftWindow(
        rows=len(window),
        since=window[-1].time,
        until=window[0].time,
        drifted=drifted,
    )
