"""A run of the history, with the run of its training and the folder of its model."""

from dataclasses import dataclass
from pathlib import Path

from core.file_names import MODEL
from history import History, layout, runfile
from history.registry import Promotion
from history.runfile import Run

COMMIT_TAG = "mlflow.source.git.commit"
DATA_TAG = "digest.data"
ALGORITHM = "algorithm"
CHALLENGER = "challenger"


@dataclass(frozen=True)
class RecordedRun:
    """A run, and what the history holds around it.

    Attributes:
        title: how it is called for people, such as `housing v4`.
        run: the run of a candidate; that of the training if no candidate succeeded.
        folder: the folder of that run.
        model_folder: the folder of the run's model, or of a promoted one with the same
            ONNX file; None if the history keeps neither.
        training: the run of the training, which has the candidates' runs as children;
            None for a run that `pipeline train` did not make.
        promotion: the version that the user meant, if it was one.
        is_training: whether the user meant the training and not a candidate.
    """

    title: str
    run: Run
    folder: Path
    model_folder: Path | None
    training: Run | None
    promotion: Promotion | None = None
    is_training: bool = False

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.run.experiment

    @property
    def commit(self) -> str:
        """The commit that the run was trained from; empty if it did not record it."""
        return self.run.tags.get(COMMIT_TAG, "")


def load(
    history: History,
    run: Run,
    title: str,
    promotion: Promotion | None = None,
) -> RecordedRun:
    """Return a run with its training; for a training's own run, its challenger.

    Raises:
        PipelineError: a file of the history is damaged.
    """
    is_training = run.parent is None and CHALLENGER in run.params
    chosen = run
    training = None
    if is_training:
        training = run
        chosen = _challenger(history, run) or run
    elif run.parent in history:
        training = history.run(str(run.parent))
    return RecordedRun(
        title=title,
        run=chosen,
        folder=history.folder(chosen.run_id),
        model_folder=_model_folder(history, chosen),
        training=training,
        promotion=promotion,
        is_training=is_training,
    )


def candidates(history: History, training: Run) -> list[Run]:
    """Return the runs of a training's candidates."""
    experiment = history.folder(training.run_id).parent.parent
    # Candidates start while their training runs; only those days are read.
    first_day = _day(training.started)
    last_day = _day(training.ended or training.started)
    runs = []
    for folder in history.folders.values():
        day = folder.parent
        if day.parent != experiment:
            continue
        if not first_day <= layout.date(day) <= last_day:
            continue
        file = folder / layout.RUN_FILE
        summary = runfile.load_summary(file)
        if summary.parent == training.run_id:
            run = runfile.load(file)
            runs.append(run)
    return runs


def model_digest(run: Run) -> str:
    """Return the SHA-256 of the ONNX file that a run logged; empty if it logged none."""
    for model in run.models:
        for artifact in model.artifacts:
            if artifact.path == MODEL:
                return artifact.sha256
    return ""


def _model_folder(history: History, run: Run) -> Path | None:
    for model in run.models:
        folder = history.model_folder(run.run_id, model.model_id)
        if folder.is_dir():
            return folder
    digest = model_digest(run)
    for promotion in history.promotions(run.experiment):
        if promotion.sha256 == digest:
            return history.model_folder(promotion.run_id, promotion.model_id)
    return None


def _challenger(history: History, training: Run) -> Run | None:
    """Return the run of the best candidate; None if all failed."""
    algorithm = training.params[CHALLENGER]
    for candidate in candidates(history, training):
        if candidate.params.get(ALGORITHM) == algorithm:
            return candidate
    return None


def _day(milliseconds: int) -> str:
    day = layout.time(milliseconds).date()
    return day.isoformat()
