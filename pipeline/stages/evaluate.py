"""The stage `evaluate`: choose the challenger, and measure it on the hold-out."""

from pathlib import Path

from rich.console import Console

from core.files import to_json, write_atomic
from core.manifest import TrainedManifest
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.stages import candidate_files, features, plots, prepare
from pipeline.stages.files import read_json, replacing_folder
from pipeline.stages.folder import StageFolder
from pipeline.train import artifacts, manifest
from pipeline.train.artifacts import Drawing
from pipeline.train.candidates import Candidate, Failure, best
from pipeline.train.training_data import TrainingData

MISSING = "missing.json"


def run(repo: Repo, task: Task, settings: Params) -> str:
    """Write the challenger with its manifest, metrics, plots and all artifacts.

    Returns:
        A sentence about the challenger.

    Raises:
        UsageError: a stage before it has not been run.
    """
    folder = StageFolder(repo, task.name)
    data = features.load(task, settings, folder)
    dataset = prepare.load(task, folder)
    results = candidate_files.read(folder.candidates)
    winner = best(task, results)
    assert winner  # the stage `train` fails if there is none
    filled = manifest.fill(data, winner, results, dataset)
    drawings = _draw(data, results)
    with replacing_folder(folder.artifacts) as unfinished:
        _write_artifacts(unfinished, drawings)
    with replacing_folder(folder.plots) as unfinished:
        plots.write(unfinished, data, winner, results, drawings[winner.algorithm])
    write_atomic(folder.metrics, _metrics(filled))
    write_atomic(folder.model, winner.onnx)
    write_atomic(folder.model_digest, f"{filled.sha256}\n")
    write_atomic(folder.manifest, filled.render())
    name = task.metric.name
    value = winner.holdout[name]
    return f"{task.name}: {winner.algorithm} has {name} {value:.4g} on the hold-out"


def read_drawings(folder: Path) -> dict[str, Drawing]:
    """Return the artifacts of all candidates that did not fail, by algorithm.

    Raises:
        UsageError: the stage has not been run.
    """
    drawings = {}
    for algorithm, missing in read_json(folder / MISSING).items():
        files = {}
        for path in sorted((folder / algorithm).glob("*")):
            files[path.name] = path.read_bytes()
        drawings[algorithm] = Drawing(files, missing)
    return drawings


def _draw(data: TrainingData, results: list[Candidate | Failure]) -> dict[str, Drawing]:
    console = Console(stderr=True)
    drawings = {}
    for result in results:
        if isinstance(result, Candidate):
            drawing = artifacts.draw(data, result)
            drawing.report_missing(console, data.task.name, result.algorithm)
            drawings[result.algorithm] = drawing
    return drawings


def _write_artifacts(folder: Path, drawings: dict[str, Drawing]) -> None:
    missing = {}
    for algorithm, drawing in drawings.items():
        missing[algorithm] = drawing.missing
        for name, content in drawing.files.items():
            write_atomic(folder / algorithm / name, content)
    write_atomic(folder / MISSING, to_json(missing))


def _metrics(filled: TrainedManifest) -> str:
    """Return the metrics that `dvc metrics` shows and compares, as JSON."""
    metrics = {}
    for name, metric in filled.holdout.metrics.items():
        metrics[f"holdout_{name}"] = metric.value
    assert filled.cross_validation
    for name, value in filled.cross_validation.metrics.items():
        metrics[f"cv_{name}"] = value
    return to_json(metrics)
