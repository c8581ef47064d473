"""The task's metric on each group of its slices, for the run and for the manifest."""

import numpy as np
import pandas as pd

from core.manifest_metrics import MetricValue, SliceGroup
from pipeline.schema import Task
from pipeline.train import evaluate, slice_rows


def by_name(
    task: Task, holdout: pd.DataFrame, prediction: np.ndarray
) -> dict[str, float]:
    """Return the metrics by their names in MLflow, such as `slice_age_young_rmse`.

    A group on which nothing can be measured is left out.

    Args:
        task: the task.
        holdout: the rows held out.
        prediction: of these rows, shape (rows,) or (rows, classes).
    """
    metric = task.metric.name
    truth = evaluate.encode(task, holdout)
    score_rows = evaluate.scorer(task, metric, truth, prediction)
    values = {}
    for group in slice_rows.measurable(task, holdout):
        name = f"slice_{group.slice}_{group.group}_{metric}"
        values[name] = score_rows(group.rows)
    return values


def with_intervals(
    task: Task, holdout: pd.DataFrame, prediction: np.ndarray, seed: int
) -> list[SliceGroup]:
    """Return the groups with the task's metric and its 95 % interval; see `by_name`.

    Args:
        seed: of the bootstrap.
    """
    metric = task.metric.name
    truth = evaluate.encode(task, holdout)
    measured = []
    for group in slice_rows.measurable(task, holdout):
        rows = group.rows
        score_rows = evaluate.scorer(task, metric, truth[rows], prediction[rows])
        count = len(rows)
        low, high = evaluate.interval(score_rows, count, seed)
        value = score_rows(np.arange(count))
        of_group = SliceGroup(
            slice=group.slice,
            group=group.group,
            rows=count,
            metric=MetricValue(value=value, low=low, high=high),
        )
        measured.append(of_group)
    return measured
