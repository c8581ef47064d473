"""Behavioural tests of a model, on rows built from the features' examples."""

import numpy as np
import pandas as pd

from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline.schema import BehaviouralTest, Kind, Task, Value

# How far a number is varied from its example, as a share of it.
SPREAD = 0.05
# The share of the rows that must agree with the expectation.
REQUIRED_SHARE = 0.9


def example(task: Task) -> dict[str, Value]:
    """Return the row of all the features' examples."""
    return {feature.name: feature.example for feature in task.features}


def probes(task: Task) -> pd.DataFrame:
    """Return the row of examples, and copies of it with each feature varied in turn."""
    base = example(task)
    rows = [base]
    for feature in task.features:
        values: list[Value] = list(feature.categories)
        if not isinstance(feature.example, str):
            varied = [feature.example * (1 - SPREAD), feature.example * (1 + SPREAD)]
            values = np.clip(varied, feature.low, feature.high).tolist()
        for value in values:
            if value != feature.example:
                rows.append(base | {feature.name: value})
    return pd.DataFrame(rows)


def run(task: Task, model: OnnxModel) -> list[Check]:
    """Return the result of each test whose features the model has."""
    results = []
    for name, test in task.behaviours.items():
        features = {*test.changes, *test.add, *test.given}
        if features.issubset(model.columns):
            results.append(_run(task, name, test, model))
    return results


def _run(task: Task, name: str, test: BehaviouralTest, model: OnnxModel) -> Check:
    rows = probes(task).assign(**test.given)
    scores = _scores(task, model, rows)
    if test.expect == "within":
        low, high = test.within
        agreement = (scores >= low) & (scores <= high)
        detail = f"mean score {scores.mean():.3g}"
    else:
        changed = test.changes | {
            column: rows[column] + summand for column, summand in test.add.items()
        }
        change = _scores(task, model, rows.assign(**changed)) - scores
        agreement = _agreement(test, change)
        detail = f"mean change {change.mean():+.3g}"
    share = float(np.mean(agreement))
    detail += f"; {share:.0%} of {len(rows)} rows agree, required {REQUIRED_SHARE:.0%}"
    return Check(name=name, passed=share >= REQUIRED_SHARE, detail=detail)


def _agreement(test: BehaviouralTest, change: np.ndarray) -> np.ndarray:
    """Return which rows agree with the expectation, shape (rows,)."""
    if test.expect == "same":
        return np.asarray(np.abs(change) <= test.tolerance)
    gain = change if test.expect == "higher" else -change
    # A model with the same answer for every row goes no wrong way, but it does not move
    # either.
    return np.asarray((gain >= 0) & (gain.mean() > test.tolerance))


def _scores(task: Task, model: OnnxModel, rows: pd.DataFrame) -> np.ndarray:
    """Return the prediction, or the last class's probability, shape (rows,)."""
    prediction = model.predict(rows)
    return prediction if task.kind is Kind.REGRESSION else prediction[:, -1]
