"""The rows of each group of a task's slices."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.errors import PipelineError
from pipeline.schema import Kind, Task
from pipeline.slices import Group, NamedSlice
from pipeline.train import evaluate

# A metric on fewer rows depends on one or two of them.
LEAST = 20


@dataclass(frozen=True)
class SliceRows:
    """One group of a slice in a table.

    Attributes:
        slice: the name of the slice.
        group: the name of the group.
        rows: the numbers of its rows in the table, shape (rows,).
        may_lose: how much worse a challenger may be on them.
        fault: why nothing can be measured on them; empty if something can.
    """

    slice: str
    group: str
    rows: np.ndarray
    may_lose: float
    fault: str = ""


def select(task: Task, table: pd.DataFrame) -> list[SliceRows]:
    """Return the groups of all slices with their rows.

    Args:
        task: the task.
        table: the rows held out, with the task's columns.
    """
    selected = []
    for name, named in task.slices.items():
        for group_name, group in named.groups.items():
            is_in_group = _is_in_group(named, group, table)
            rows = np.flatnonzero(is_in_group)
            of_group = SliceRows(name, group_name, rows, named.may_lose)
            fault = _fault(task, of_group, table)
            selected.append(replace(of_group, fault=fault))
    return selected


def measurable(task: Task, table: pd.DataFrame) -> list[SliceRows]:
    """Return the groups on which something can be measured; see `select`."""
    return [group for group in select(task, table) if not group.fault]


def require_measurable(task: Task, table: pd.DataFrame) -> None:
    """Refuse a table in which a group cannot be measured; see `select`.

    Raises:
        PipelineError: a group has too few rows, or the metric or a figure of fairness
            has no value on them.
    """
    for group in select(task, table):
        if group.fault:
            raise PipelineError(
                f"{task.name}: {group.fault}: bring more rows, or change the group in"
                f" pipeline/tasks/{task.name}.yaml."
            )


def _is_in_group(named: NamedSlice, group: Group, table: pd.DataFrame) -> np.ndarray:
    """Return which rows are in a group, shape (rows,), bool."""
    columns = table[named.columns]
    if group.categories:
        (name,) = named.columns
        of_categories: np.ndarray = columns[name].isin(group.categories).to_numpy()
        return of_categories
    value = columns.to_numpy(dtype=float).sum(axis=1)
    is_above_low = value >= group.low
    in_band: np.ndarray = is_above_low & (value < group.high)
    return in_band


def _fault(task: Task, group: SliceRows, table: pd.DataFrame) -> str:
    """Return why nothing can be measured on a group, or an empty text."""
    where = f"slices.{group.slice}.groups.{group.group}"
    count = len(group.rows)
    if count < LEAST:
        return (
            f"{where} has {count} of the {len(table)} rows held out, but {LEAST} are"
            " needed"
        )
    if not _has_metric(task, group, table):
        return (
            f"{where} has {count} rows held out, on which {task.metric.name} has no"
            " value, whatever a model predicts"
        )
    fairness = task.fairness
    target = task.target.name
    if fairness and group.slice in fairness.slices:
        classes = table[target].iloc[group.rows]
        if not (classes == fairness.favourable).any():
            return (
                f"{where} has no row held out whose {target} is {fairness.favourable},"
                " so fairness has no value"
            )
    return ""


def _has_metric(task: Task, group: SliceRows, table: pd.DataFrame) -> bool:
    """Return whether a model can be measured on a group at all."""
    truth = evaluate.encode(task, table)
    any_prediction = np.ones(len(truth))
    if task.kind is Kind.CLASSIFICATION:
        any_prediction = np.ones((len(truth), len(task.target.classes)))
    score_rows = evaluate.scorer(task, task.metric.name, truth, any_prediction)
    return bool(np.isfinite(score_rows(group.rows)))
