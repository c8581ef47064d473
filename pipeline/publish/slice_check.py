"""Checks that a challenger does not get worse on any group of its task's slices.

A group of a few dozen rows is noisy: without a test, a challenger that is better in
truth would often be refused for a group on which it was unlucky.
"""

import numpy as np

from history.registry import Check
from pipeline.publish import gain
from pipeline.publish import reasons as explain
from pipeline.schema import Task
from pipeline.train.evaluate import scorer
from pipeline.train.slice_rows import SliceRows

# The probability that a challenger is refused that is as good as the champion on all
# groups. They share it evenly.
FALSE_REFUSALS = 0.05


def check(
    task: Task,
    groups: list[SliceRows],
    truth: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
) -> list[Check]:
    """Return a check for each group of the slices.

    Args:
        task: the task.
        groups: the groups with their rows.
        truth: shape (rows,), of all rows held out.
        champion: its predictions, shape (rows,) or (rows, classes).
        challenger: its predictions.
    """
    checks = []
    for group in groups:
        one = _check_group(task, group, truth, champion, challenger, len(groups))
        checks.append(one)
    return checks


def _check_group(
    task: Task,
    group: SliceRows,
    truth: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
    groups: int,
) -> Check:
    name = f"slice {group.slice}: {group.group}"
    if group.fault:
        # The training refuses that; bundles of other releases may have it.
        return Check(name=name, passed=True, detail=f"not compared: {group.fault}")
    metric = task.metric
    rows = group.rows
    old = scorer(task, metric.name, truth, champion)(rows)
    new = scorer(task, metric.name, truth, challenger)(rows)
    if metric.higher_is_better:
        loss = old - new
    else:
        loss = new - old
    # The gain of the champion over the challenger.
    measured = gain.measure(task, truth[rows], challenger[rows], champion[rows])
    level = FALSE_REFUSALS / groups
    passed = loss <= group.may_lose or measured.p_value >= level
    detail = explain.on_slice(
        task.metric,
        group,
        challenger=new,
        champion=old,
        p_value=measured.p_value,
        level=level,
    )
    return Check(name=name, passed=passed, detail=detail)
