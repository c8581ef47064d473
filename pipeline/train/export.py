"""A fitted pipeline as an ONNX file, and what is measured of the file."""

import timeit

import numpy as np
import pandas as pd
from skl2onnx import to_onnx as convert
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from core.manifest import Parity
from core.onnx_model import OnnxModel
from pipeline.schema import Feature, Kind, Task
from pipeline.train import onnx_converters

OPSET = {"": 21, "ai.onnx.ml": 3}
LATENCY_REPEATS = 200
_TYPES = {
    "number": FloatTensorType,
    "category": StringTensorType,
}


def to_onnx(task: Task, features: list[Feature], fitted: Pipeline) -> bytes:
    """Return the ONNX file; the same fit gives the same bytes.

    Each feature is an input of shape (rows, 1). The output of a regression is
    `variable`, shape (rows, 1). Those of a classification are `label`, shape (rows,),
    the class's number, and `probabilities`, shape (rows, classes).
    """
    onnx_converters.register()
    inputs = []
    for feature in features:
        column_type = _TYPES[feature.type]([None, 1])
        inputs.append((feature.name, column_type))
    # Probabilities as an array and not as a list of dictionaries.
    options = {"zipmap": False} if task.kind is Kind.CLASSIFICATION else None
    model = convert(
        fitted,
        initial_types=inputs,
        options=options,
        target_opset=OPSET,
        name=task.name,
    )
    # The converter keeps these in a set, whose order differs between processes.
    imports = sorted(model.opset_import, key=lambda entry: str(entry.domain))
    del model.opset_import[:]
    model.opset_import.extend(imports)
    content = model.SerializeToString(deterministic=True)
    return bytes(content)


def predict_with_sklearn(
    task: Task, fitted: Pipeline, inputs: pd.DataFrame
) -> np.ndarray:
    """Return the fitted estimator's predictions, shaped as by `OnnxModel.predict`."""
    if task.kind is Kind.REGRESSION:
        prediction = fitted.predict(inputs)
    else:
        prediction = fitted.predict_proba(inputs)
    return np.asarray(prediction, dtype=np.float64)


def parity(
    task: Task,
    fitted: Pipeline,
    model: OnnxModel,
    inputs: pd.DataFrame,
) -> Parity:
    """Compare estimator and ONNX file on every row of a table from `as_inputs`."""
    count = len(inputs)
    expected = predict_with_sklearn(task, fitted, inputs)
    actual = model.predict(inputs)
    differences = np.abs(expected - actual)
    by_row = differences.reshape(count, -1).max(axis=1)
    # A difference that is not a number is a mismatch too.
    matches = by_row <= task.tolerance
    mismatches = count - int(matches.sum())
    return Parity(
        rows=count,
        mismatches=mismatches,
        largest_difference=float(f"{by_row.max():.3g}"),
        tolerance=task.tolerance,
    )


def latency_ms(model: OnnxModel, inputs: pd.DataFrame) -> float:
    """Return the median time of one row on one thread, in milliseconds."""
    feeds = model.feeds_of_table(inputs.iloc[:1])
    seconds = timeit.repeat(
        lambda: model.run(feeds),
        number=1,
        repeat=LATENCY_REPEATS,
    )
    median = np.median(seconds)
    return float(median * 1000)
