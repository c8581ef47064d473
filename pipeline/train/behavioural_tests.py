"""The task's claims about its model, tried out on rows made of the features' examples."""

import numpy as np
import pandas as pd

from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline.schema import Behaviour, Kind, Task, Value

# How far from its example a number is varied, as a share of it.
SPREAD = 0.05
# The share of the rows that must agree with a claim.
SHARE = 0.9


def example(task: Task) -> dict[str, Value]:
    """Return the row of all the features' examples."""
    return {feature.name: feature.example for feature in task.features}


def probes(task: Task) -> pd.DataFrame:
    """Return the row of examples, and it again with each feature varied in turn."""
    rows = [example(task)]
    for feature in task.features:
        values: list[Value] = list(feature.categories)
        if not isinstance(feature.example, str):
            moved = (feature.example * (1 - SPREAD), feature.example * (1 + SPREAD))
            values = np.clip(moved, feature.low, feature.high).tolist()
        rows += [
            example(task) | {feature.name: v} for v in values if v != feature.example
        ]
    return pd.DataFrame(rows)


def check(task: Task, model: OnnxModel) -> list[Check]:
    """Return each claim with the answer; a claim about a feature left out is not asked."""
    return [
        _check(task, claim, behaviour, model)
        for claim, behaviour in task.behaviours.items()
        if {*behaviour.changes, *behaviour.add, *behaviour.given} <= {*model.columns}
    ]


def _check(task: Task, claim: str, behaviour: Behaviour, model: OnnxModel) -> Check:
    rows = probes(task).assign(**behaviour.given)
    scores = _scores(task, model, rows)
    if behaviour.expect == "within":
        low, high = behaviour.within
        agree, detail = (scores >= low) & (
            scores <= high
        ), f"mean score {scores.mean():.3g}"
    else:
        new = behaviour.changes | {
            name: rows[name] + by for name, by in behaviour.add.items()
        }
        change = _scores(task, model, rows.assign(**new)) - scores
        agree, detail = (
            _agreement(behaviour, change),
            f"mean change {change.mean():+.3g}",
        )
    share = float(np.mean(agree))
    detail += f"; {share:.0%} of {len(rows)} rows agree, required {SHARE:.0%}"
    return Check(name=claim, passed=share >= SHARE, detail=detail)


def _agreement(behaviour: Behaviour, change: np.ndarray) -> np.ndarray:
    if behaviour.expect == "same":
        return np.asarray(np.abs(change) <= behaviour.tolerance)
    gain = change if behaviour.expect == "higher" else -change
    # A model that says the same of every row goes no wrong way, but it does not move
    # either.
    return np.asarray((gain >= 0) & (gain.mean() > behaviour.tolerance))


def _scores(task: Task, model: OnnxModel, rows: pd.DataFrame) -> np.ndarray:
    prediction = model.predict(rows)
    return prediction if task.kind is Kind.REGRESSION else prediction[:, -1]
