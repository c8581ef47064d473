"""How differently a model treats the groups of a slice."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.manifest_metrics import Fairness, GroupRates
from pipeline.schema import Task
from pipeline.train import slice_rows

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame


def measure(
    task: Task, holdout: pd.DataFrame, prediction: np.ndarray
) -> list[Fairness]:
    """Return the figures of each slice whose groups are to be treated alike.

    The model selects a row if the favourable class is the most probable one. A group on
    which nothing can be measured is left out.

    Args:
        task: the task.
        holdout: the rows held out.
        prediction: the probabilities of these rows, shape (rows, classes).
    """
    if task.fairness is None:
        return []
    favourable = task.fairness.favourable
    deserved = (holdout[task.target.name] == favourable).to_numpy()
    place = task.target.classes.index(favourable)
    selected = prediction.argmax(axis=1) == place
    selection = slice_rows.measurable(task, holdout)
    figures = []
    for name in task.fairness.slices:
        groups = np.full(len(holdout), "", dtype=object)
        for group in selection:
            if group.slice == name:
                groups[group.rows] = group.group
        in_group = groups != ""
        if not in_group.any():
            continue
        frame = _frame(deserved[in_group], selected[in_group], groups[in_group])
        figures.append(_figures(name, favourable, frame))
    return figures


def _frame(
    deserved: np.ndarray, selected: np.ndarray, groups: np.ndarray
) -> "MetricFrame":
    """Return the rates of each group.

    Args:
        deserved: which rows are of the favourable class, shape (rows,), bool.
        selected: which the model takes for that, shape (rows,), bool.
        groups: the name of each row's group, shape (rows,).
    """
    # The library takes long to import, and most tasks do not need it.
    from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate

    return MetricFrame(
        metrics={
            "selection_rate": selection_rate,
            "true_positive_rate": true_positive_rate,
        },
        y_true=deserved,
        y_pred=selected,
        sensitive_features=groups,
    )


def _figures(name: str, favourable: str, frame: "MetricFrame") -> Fairness:
    rates = {}
    for group, row in frame.by_group.iterrows():
        rates[str(group)] = GroupRates(**row.astype(float))
    differences = frame.difference()
    return Fairness(
        slice=name,
        favourable=favourable,
        demographic_parity_difference=float(differences["selection_rate"]),
        equal_opportunity_difference=float(differences["true_positive_rate"]),
        groups=rates,
    )


def by_name(
    task: Task, holdout: pd.DataFrame, prediction: np.ndarray
) -> dict[str, float]:
    """Return the differences by their names in MLflow; see `measure`."""
    values = {}
    for figures in measure(task, holdout, prediction):
        start = f"fairness_{figures.slice}"
        parity = figures.demographic_parity_difference
        opportunity = figures.equal_opportunity_difference
        values[f"{start}_demographic_parity_difference"] = parity
        values[f"{start}_equal_opportunity_difference"] = opportunity
    return values
