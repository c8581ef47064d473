"""The parts of the hold-out on which a model is worst."""

from typing import Any

import numpy as np
import pandas as pd

from core.manifest_metrics import Slice
from pipeline.schema import Feature
from pipeline.train import evaluate
from pipeline.train.training_data import TrainingData

SLICE_ROWS = 20
WORST_SLICES = 5
QUANTILES = 4


def worst_slices(data: TrainingData, prediction: np.ndarray) -> list[Slice]:
    """Return the parts of the hold-out, by one feature each, with the worst metric.

    The parts are a feature's categories, or the quarters between its quartiles.
    """
    metric = data.task.metric
    score_rows = evaluate.scorer(data.task, metric.name, data.truth, prediction)
    slices: list[Slice] = []
    for feature in data.features:
        values = data.holdout[feature.name]
        for name, rows in _parts(feature, values).items():
            value = score_rows(rows)
            # The metric has no value where only one class occurs.
            is_measured = np.isfinite(value)
            if len(rows) < SLICE_ROWS or not is_measured:
                continue
            fields: dict[str, Any] = {
                "feature": feature.name,
                "part": name,
                "rows": len(rows),
                metric.name: value,
            }
            slices.append(Slice(**fields))

    def rank(part: Slice) -> tuple[float, str, str]:
        value = getattr(part, metric.name)
        return value, part.feature, part.part

    slices.sort(key=rank, reverse=not metric.higher_is_better)
    return slices[:WORST_SLICES]


def _parts(feature: Feature, values: "pd.Series[Any]") -> dict[str, np.ndarray]:
    """Return the row numbers of each part of a column, by the part's name."""
    numbered = values.reset_index(drop=True)
    groups = numbered
    if not feature.categories:
        groups = pd.qcut(numbered, QUANTILES, duplicates="drop")
    grouped = numbered.groupby(groups, observed=True)
    parts = {}
    for name, rows in grouped.indices.items():
        parts[str(name)] = np.asarray(rows)
    return parts
