"""Compares a model that was fitted again with the model that its run had."""

import math
from importlib.metadata import version
from pathlib import Path

from core.errors import PipelineError
from core.onnx_model import OnnxModel
from pipeline.train import evaluate, export
from pipeline.train.past_run import PastRun
from pipeline.train.refit import RefittedModel

# How far the metrics of two machines may differ.
TOLERANCE = 1e-5


def compare(refitted: RefittedModel) -> str:
    """Return what the two models have in common: the predictions, or the metrics.

    The run's ONNX file decides, and its metrics where that file is not kept.

    Raises:
        PipelineError: the models differ.
    """
    path = refitted.past.onnx_file
    if path:
        return _compare_predictions(refitted, path)
    return _compare_metrics(refitted)


def _compare_predictions(refitted: RefittedModel, path: Path) -> str:
    """Compare the predictions with those of the run's ONNX file, row by row."""
    original = OnnxModel(path)
    parity = export.parity(
        refitted.task,
        refitted.pipeline,
        original,
        refitted.inputs,
    )
    if parity.mismatches:
        versions = _versions(refitted.past)
        raise PipelineError(
            f"made again, the model differs from {path} on {parity.mismatches} of "
            f"{parity.rows} rows: {versions}. Nothing was written."
        )
    comparison = f"predicts as the run's ONNX file on all {parity.rows} rows held out"
    if original.sha256 == OnnxModel(refitted.onnx).sha256:
        comparison += ", the ONNX file byte for byte"
    return comparison


def _compare_metrics(refitted: RefittedModel) -> str:
    """Compare the metrics on the hold-out with those that the run recorded."""
    task = refitted.task
    past = refitted.past
    truth = evaluate.encode(task, refitted.holdout)
    predictions = OnnxModel(refitted.onnx).predict(refitted.inputs)
    for name, value in evaluate.metrics(task, truth, predictions).items():
        recorded = past.run.latest(f"holdout_{name}")
        if not _is_close(recorded, value):
            versions = _versions(past)
            raise PipelineError(
                f"made again, the model has {name} {value:.6g} on the rows held out,"
                f" the run has {recorded}: {versions}. Nothing was written."
            )
    return f"has the run's metrics on all {len(truth)} rows held out"


def _is_close(recorded: float | None, value: float) -> bool:
    if recorded is None:
        return False
    return math.isclose(recorded, value, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _versions(past: PastRun) -> str:
    return (
        f"the run is of commit {past.commit[:12]}, this is scikit-learn"
        f" {version('scikit-learn')}"
    )
