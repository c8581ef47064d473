"""Behavioural tests of a model, on rows built from the features' examples."""

import numpy as np
import pandas as pd

from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline.schema import BehaviouralTest, Feature, Kind, Task, Value

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
        for value in _variations(feature):
            if value == feature.example:
                continue
            row = base.copy()
            row[feature.name] = value
            rows.append(row)
    return pd.DataFrame(rows)


def _variations(feature: Feature) -> list[Value]:
    """Return a feature's categories, or a number a little below and above its example."""
    if isinstance(feature.example, str):
        return list(feature.categories)
    lower = feature.example * (1 - SPREAD)
    higher = feature.example * (1 + SPREAD)
    within_range = np.clip([lower, higher], feature.low, feature.high)
    values: list[Value] = within_range.tolist()
    return values


def run(task: Task, model: OnnxModel) -> list[Check]:
    """Return the result of each test whose features the model has."""
    results = []
    for name, test in task.behaviours.items():
        features = set(test.changes)
        features.update(test.add)
        features.update(test.given)
        if not features.issubset(model.columns):
            continue
        result = _run(task, name, test, model)
        results.append(result)
    return results


def _run(task: Task, name: str, test: BehaviouralTest, model: OnnxModel) -> Check:
    varied = probes(task)
    rows = varied.assign(**test.given)
    scores = _scores(task, model, rows)
    if test.expect == "within":
        low, high = test.within
        agreement = (scores >= low) & (scores <= high)
        mean = scores.mean()
        measured = f"mean score {mean:.3g}"
    else:
        changed = _changed(test, rows)
        changed_scores = _scores(task, model, changed)
        change = changed_scores - scores
        agreement = _agreement(test, change)
        mean = change.mean()
        measured = f"mean change {mean:+.3g}"
    share = float(np.mean(agreement))
    agreeing = f"{share:.0%} of {len(rows)} rows agree"
    required = f"required {REQUIRED_SHARE:.0%}"
    return Check(
        name=name,
        passed=share >= REQUIRED_SHARE,
        detail=f"{measured}; {agreeing}, {required}",
    )


def _changed(test: BehaviouralTest, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the test's changes made to them."""
    changed = rows.assign(**test.changes)
    for column, summand in test.add.items():
        changed[column] = rows[column] + summand
    return changed


def _agreement(test: BehaviouralTest, change: np.ndarray) -> np.ndarray:
    """Return which rows agree with the expectation, shape (rows,)."""
    if test.expect == "same":
        size = np.abs(change)
        return np.asarray(size <= test.tolerance)
    gain = change
    if test.expect == "lower":
        gain = -change
    # A model with the same answer for every row does not move in the wrong direction,
    # but not in the right one either.
    moves = gain.mean() > test.tolerance
    return np.asarray((gain >= 0) & moves)


def _scores(task: Task, model: OnnxModel, rows: pd.DataFrame) -> np.ndarray:
    """Return the prediction, or the last class's probability, shape (rows,)."""
    prediction = model.predict(rows)
    if task.kind is Kind.REGRESSION:
        return prediction
    return prediction[:, -1]
