"""What the training of a task puts into its bundle, besides the runs' own content."""

import shutil
from pathlib import Path

import pandas as pd

from core.onnx_model import OnnxModel
from history import History, Project, import_runs, layout
from history.registry import Check
from pipeline.bundle import Challenger
from pipeline.data import fetch as source
from pipeline.data import table as tables
from pipeline.data.fetch import Dataset
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train.candidates import Candidate
from pipeline.train.recorder import Recorder


def keep_rows(
    folder: Path, task: Task, dataset: Dataset, holdout: pd.DataFrame
) -> None:
    """Write the hold-out, and the table if the repository is to keep it."""
    path = source.snapshot_path(folder / "holdout", task)
    tables.write(path, holdout)
    if dataset.snapshot:
        path = source.snapshot_path(folder / "data", task)
        tables.write(path, dataset.table)


def log_challenger(
    recorder: Recorder, winner: Candidate, manifest: str, behaviours: list[Check]
) -> Challenger:
    """Log the winner's model, and return the evidence for the gate.

    Args:
        recorder: the runs, among them the winner's.
        winner: the best candidate.
        manifest: the content of `manifest.json`.
        behaviours: the results of its behavioural tests.
    """
    run_id = recorder.runs[winner.algorithm]
    model = OnnxModel(winner.onnx)
    return Challenger(
        run_id=run_id,
        model_id=recorder.tracker.log_model(run_id, winner.onnx, manifest),
        sha256=model.sha256,
        size=model.size,
        behaviours=behaviours,
        algorithm=winner.algorithm,
        latency_ms=winner.latency_ms,
        parity=winner.parity,
        holdout=winner.holdout,
        cross_validation=winner.cross_validation,
    )


def import_recorded(repo: Repo, folder: Path, uri: str, run_ids: list[str]) -> None:
    """Import runs from a tracking store into a bundle's history."""
    mlruns = folder / "mlruns"
    project = Project(source_root=repo.root)
    with History.open(mlruns, project) as history:
        import_runs(uri, history, run_ids)
    shutil.rmtree(mlruns / layout.LOCAL, ignore_errors=True)
