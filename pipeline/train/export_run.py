"""`pipeline export`: fit a run's model again and write it as a file into `models/`."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import joblib
from sklearn.pipeline import Pipeline

from core.files import write_atomic
from history.runfile import Run
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.train import export_metadata, past_run
from pipeline.train.compare_refit import compare
from pipeline.train.refit import refit

Format = Literal["onnx", "joblib"]
WARNING = (
    "Opening a joblib file runs whatever code is in it: open one that you have made"
    " yourself, with the same version of scikit-learn. The .onnx file runs none."
)


@dataclass(frozen=True)
class ExportedModel:
    """A model's file, its run, and how it compares with the model of the run."""

    path: Path
    run: Run
    comparison: str


def export(repo: Repo, name: str, algorithm: str | None, form: Format) -> ExportedModel:
    """Fit a run's model again, compare it, and write it with its metadata.

    It is fitted on the rows and with the parameters of its run. Nothing is written
    unless it predicts as the run's ONNX file does on every row of the hold-out; where
    that file is not kept, its metrics on the hold-out must be those of the run.

    Args:
        repo: the checkout.
        name: the task.
        algorithm: the algorithm, whose best run is taken; None means the champion.
        form: the kind of file.

    Raises:
        UsageError: the task or the algorithm is unknown or has no run, or there is a
            model of another task under the same name.
        PipelineError: the data are not those of the run, or the model differs.
    """
    task = tasks.load(name)
    past = past_run.find(repo, task, algorithm)
    folder = repo.root / "models"
    stem = f"{past.algorithm}_best_model"
    path = folder / f"{stem}.{form}"
    metadata = folder / f"{stem}_metadata.json"
    earlier = export_metadata.read(metadata, name)

    refitted = refit(repo, task, past)
    comparison = compare(refitted)
    content = refitted.onnx
    if form == "joblib":
        content = _joblib(refitted.pipeline)
    write_atomic(path, content)

    description = export_metadata.describe(repo, task, past)
    description["compared"] = comparison
    description["files"] = export_metadata.files(past, earlier, path, content)
    if form == "joblib":
        description["warning"] = WARNING
    export_metadata.write(metadata, description)
    return ExportedModel(path, past.run, comparison)


def _joblib(pipeline: Pipeline) -> bytes:
    stream = BytesIO()
    joblib.dump(pipeline, stream, compress=3)
    return stream.getvalue()
