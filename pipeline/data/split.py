"""The hold-out: chosen by what a row says, so that it stays the same rows as the data grows."""

import hashlib

import numpy as np
import pandas as pd

from pipeline.data.table import rows
from pipeline.schema import Task


def in_holdout(task: Task, table: pd.DataFrame, share: float) -> np.ndarray:
    """Tell for each row whether it is held out; shape (rows,), bool.

    A row is held out when the hash of its features, read as a fraction, is below `share`. The
    target has no say: equal inputs stay together, whatever was observed for them.
    """
    features = table[[feature.name for feature in task.features]]
    return np.array([_fraction(row) < share for row in rows(features)], dtype=bool)


def _fraction(row: list[str]) -> float:
    content = "\x1f".join(row).encode()
    return int.from_bytes(hashlib.sha256(content).digest()[:8]) / 2**64
