"""Compares the predictions of two recorded models on the rows held out of both."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.errors import PipelineError
from core.file_names import MODEL
from core.onnx_model import OnnxModel
from history.runfile import Run
from pipeline import tasks
from pipeline.compare.comparison import (
    ChangedPrediction,
    Prediction,
    Predictions,
    Value,
)
from pipeline.data import by_digest
from pipeline.data import table as tables
from pipeline.recorded_run import DATA_TAG, RecordedRun
from pipeline.repo import Repo
from pipeline.schema import Kind, Task

SHARE = "holdout_share"
SHOWN = 10


class NotComparable(Exception):
    """The predictions of two runs cannot be compared; the text says why."""


@dataclass(frozen=True)
class _Holdout:
    """The rows held out of both trainings, with a note about them."""

    table: pd.DataFrame
    note: str


def compare(repo: Repo, a: RecordedRun, b: RecordedRun) -> Predictions:
    """Return how the predictions changed from one model to the other.

    Nothing is downloaded: the data are those that the clone or a folder of the user's
    has.

    Raises:
        NotComparable: the history does not keep a model, or the data are not here.
    """
    if a.task not in tasks.names():
        raise NotComparable(f"{a.task} is not a task of this checkout")
    task = tasks.load(a.task)
    models = [_model(a), _model(b)]
    try:
        holdout = _holdout(repo, task, a, b)
    except PipelineError as error:
        raise NotComparable(str(error).rstrip(".")) from error
    return _compare(task, models, holdout)


def _model(recorded: RecordedRun) -> OnnxModel:
    folder = recorded.model_folder
    if folder is None or not (folder / MODEL).is_file():
        raise NotComparable(
            f"the history does not keep the model of {recorded.title}: it keeps those"
            " that were promoted"
        )
    try:
        return OnnxModel(folder / MODEL)
    except Exception as error:  # those of ONNX Runtime have no common class
        raise NotComparable(
            f"the model of {recorded.title} cannot be opened; `pipeline history verify`"
            " names the file"
        ) from error


def _holdout(repo: Repo, task: Task, a: RecordedRun, b: RecordedRun) -> _Holdout:
    """Return the rows that were held out of both trainings.

    A row is held out by a hash of its features, so the same rows of other data are.
    """
    digests = []
    shares = []
    for recorded in (a, b):
        training = _require_recorded(recorded)
        digests.append(training.tags[DATA_TAG])
        share = float(training.params[SHARE])
        shares.append(share)
    digest = digests[1]
    content = by_digest.find(repo, task.name, digest, download=False)
    table = by_digest.read(task, content, f"the data of {b.title}")
    held = tables.in_holdout(task, table, min(shares))
    note = ""
    if digests[0] != digest:
        note = f"the rows are those of the data of {b.title}"
    return _Holdout(table[held], note)


def _require_recorded(recorded: RecordedRun) -> Run:
    """Return the run of the training, if it says which rows were held out."""
    training = recorded.training
    if training and DATA_TAG in training.tags and SHARE in training.params:
        return training
    raise NotComparable(f"{recorded.title} did not record which rows were held out")


def _compare(task: Task, models: list[OnnxModel], holdout: _Holdout) -> Predictions:
    try:
        before, after = [model.predict(holdout.table) for model in models]
    except KeyError as error:
        raise NotComparable(
            f"a model needs {error}, which the table does not have"
        ) from error
    rows = len(before)
    difference = np.abs(after - before)
    by_row = difference.reshape(rows, -1).max(axis=1)
    other_class = None
    if task.kind is Kind.CLASSIFICATION:
        is_other = before.argmax(axis=1) != after.argmax(axis=1)
        other_class = int(is_other.sum())
    count = int((by_row > task.tolerance).sum())
    order = np.argsort(-by_row, kind="stable")
    most = []
    for place in order[: min(count, SHOWN)]:
        row = holdout.table.iloc[place]
        changed = _changed(task, row, before[place], after[place])
        most.append(changed)
    return Predictions(
        rows=rows,
        changed=count,
        other_class=other_class,
        mean_change=float(by_row.mean()),
        most=most,
        note=holdout.note,
    )


def _changed(
    task: Task, row: "pd.Series[Any]", before: np.ndarray, after: np.ndarray
) -> ChangedPrediction:
    """Return a row with both predictions.

    Args:
        before: the first model's prediction, shape () of a value, (classes,) of
            probabilities.
        after: that of the second model.
    """
    features = {}
    for feature in task.features:
        features[feature.name] = _plain(row[feature.name])
    differences = np.ravel(after - before)
    largest = np.abs(differences).argmax()
    return ChangedPrediction(
        features=features,
        truth=_plain(row[task.target.name]),
        a=_prediction(task, before),
        b=_prediction(task, after),
        change=float(differences[largest]),
    )


def _prediction(task: Task, output: np.ndarray) -> Prediction:
    if task.kind is Kind.REGRESSION:
        return Prediction(float(output))
    place = int(output.argmax())
    return Prediction(task.target.classes[place], float(output[place]))


def _plain(value: Any) -> Value:
    """Return a cell of a table as a value that JSON has."""
    if isinstance(value, str):
        return value
    return float(value)
