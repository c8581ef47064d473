"""Whether the newest predictions still look like what their model was made of."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.dependencies import Here, Services
from app.observability.metrics import Metrics
from app.observability.prediction_log import Row
from app.routes import feedback
from app.serving.model import Model
from core.distributions import LEAST, MOST, Distribution, psi

router = APIRouter()


class DriftWindow(BaseModel):
    """Predictions that came one after the other."""

    rows: int
    since: datetime
    until: datetime
    drifted: list[str] = Field(description="What is over its threshold in this window.")


class DriftPart(BaseModel):
    """One feature, or one part of the predictions."""

    psi: float | None = Field(
        description="In the newest window, if there are rows enough."
    )
    previous: float | None = Field(description="In the window before.")
    threshold: float | None = Field(description="Above it is drift.")
    reference: Distribution
    shares: list[float] | None = Field(description="Those of the newest window.")


Parts = dict[str, DriftPart]
Taken = Callable[[Row], Any]


class Drift(BaseModel):
    """One task's newest predictions beside the reference in its manifest."""

    task: str
    version: int
    run_id: str
    verdict: Literal["drift", "no drift", "too few rows", "no thresholds"]
    drifted: list[str] = Field(
        description="What is over its threshold in both windows."
    )
    rows: int = Field(
        description="Predictions of this version in the log, up to 2,000."
    )
    rows_needed: int = Field(
        2 * LEAST, description="From so many on there is a verdict."
    )
    windows: list[DriftWindow] = Field(description="The newest first.")
    features: Parts
    predictions: Parts


def measure(model: Model, rows: list[Row]) -> Drift:
    """Compare a model's predictions, newest first, with its reference.

    They are halved into two windows of up to 1,000 rows: drift is what both of them
    show.
    """
    manifest, reference = model.manifest, model.manifest.reference
    size = max(LEAST, min(len(rows) // 2, MOST))
    halves = [
        half for half in (rows[:size], rows[size : 2 * size]) if len(half) == size
    ]
    # Bootstrapped for some sizes: what holds for a smaller window is on the safe side.
    known = [rows for rows in reference.thresholds if rows <= size]
    limits = (
        reference.thresholds[max(known)]
        if known
        else {"features": {}, "predictions": {}}
    )
    limit = limits["features"].get
    features = {
        name: _part(
            of, reference.rows, limit(name), halves, lambda row: row.features[name]
        )
        for name, of in reference.features.items()
    }
    limit = limits["predictions"].get
    predictions = {
        name: _part(
            of, manifest.holdout.rows, limit(name), halves, _predicted(name, model)
        )
        for name, of in reference.predictions.items()
    }
    parts = features | {
        f"prediction {name}": part for name, part in predictions.items()
    }
    over = [
        [name for name, part in parts.items() if _over(part.psi, part)],
        [name for name, part in parts.items() if _over(part.previous, part)],
    ]
    both = [name for name in over[0] if name in over[1]]
    verdict: Any = "drift" if both else "no drift" if known else "no thresholds"
    return Drift(
        task=manifest.task,
        version=manifest.version,
        run_id=manifest.run_id,
        verdict=verdict if len(halves) == 2 else "too few rows",
        drifted=both,
        rows=len(rows),
        windows=[
            DriftWindow(
                rows=size, since=half[-1].time, until=half[0].time, drifted=names
            )
            for half, names in zip(halves, over, strict=False)
        ],
        features=features,
        predictions=predictions,
    )


def _part(
    of: Distribution,
    rows: int,
    threshold: float | None,
    halves: list[list[Row]],
    value: Taken,
) -> DriftPart:
    counts = [of.count([value(row) for row in half]) for half in halves]
    newest, before = (
        *(float(psi(of.shares, rows, count)) for count in counts),
        None,
        None,
    )[:2]
    shares = (counts[0] / counts[0].sum()).tolist() if counts else None
    return DriftPart(
        psi=newest, previous=before, threshold=threshold, reference=of, shares=shares
    )


def _predicted(part: str, model: Model) -> Taken:
    if part == "probability":
        likely = model.manifest.target.classes[-1]
        return lambda row: row.prediction["probabilities"][likely]
    return lambda row: row.prediction["prediction"]


def _over(value: float | None, part: DriftPart) -> bool:
    return value is not None and part.threshold is not None and value > part.threshold


@router.get("/drift/{task}", tags=["models"], operation_id="get_drift")
def drift(task: str, services: Here) -> Drift:
    """Compare a task's newest predictions with what its model was made of."""
    model = services.models.get(task)
    return measure(model, services.predictions.newest(model, 2 * MOST))


def look(services: Services) -> None:
    """Tell the metrics about drift and live quality."""
    for model in services.models.served().values():
        rows = services.predictions.newest(model, 2 * MOST)
        _show(services.metrics, measure(model, rows), rows[:MOST])
        feedback.show(services.metrics, feedback.measure(model, services.predictions))


def _show(metrics: Metrics, found: Drift, newest: list[Row]) -> None:
    task = found.task
    metrics.window_rows.labels(task).set(len(newest))
    if newest:
        metrics.window_start.labels(task).set(newest[-1].time)
        metrics.window_timestamp.labels(task).set(newest[0].time)
    for parts, index, threshold in (
        (found.features, metrics.feature_psi, metrics.feature_threshold),
        (found.predictions, metrics.prediction_psi, metrics.prediction_threshold),
    ):
        for name, part in parts.items():
            if part.psi is not None:
                index.labels(task, name).set(part.psi)
            if part.threshold is not None:
                threshold.labels(task, name).set(part.threshold)
    if found.verdict in ("drift", "no drift"):
        metrics.drifted.labels(task).set(found.verdict == "drift")
