"""Records a promotion: its entry in the registry, and the files that are served."""

import time
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from core.file_names import CARD, MANIFEST, MODEL
from core.files import write_atomic
from core.manifest import Manifest, TrainedManifest
from history import History, Promotion
from history.committed import CommittedHistory
from history.faults import listed
from pipeline import report
from pipeline.publish.thresholds import bootstrap
from pipeline.repo import Repo
from pipeline.report import day_summaries
from pipeline.report.templates import render

# What identifies a model in the registry and in a bundle alike.
IDENTITY = {"run_id", "model_id", "sha256", "size"}
# What the manifest of a served model has from its entry in the registry.
IN_MANIFEST = {"version", "run_id", "model_id", "commit", "promoted"}


def promote(
    tip: Repo, history: History, task: str, files: Path, **details: Any
) -> Promotion:
    """Record the next version of a task's model and put it into service.

    Returns the entry in the registry.

    Args:
        history: the history of the tip.
        files: the folder with the model's files; they are kept with its run.
        details: the other fields of the entry.
    """
    champion = history.champion(task)
    promotion = Promotion(
        **details,
        format=1,
        model=task,
        version=champion.version + 1 if champion else 1,
        promoted=now(),
        replaces=champion.version if champion else None,
    )
    history.promote(promotion, files)
    kept = history.model_folder(promotion.run_id, promotion.model_id)
    manifest = served_manifest(history, promotion)
    card = render(CARD, manifest=manifest, promotion=promotion)
    target = tip.models / task
    model = (kept / MODEL).read_bytes()
    write_atomic(target / MODEL, model)
    write_atomic(target / MANIFEST, manifest.render())
    write_atomic(target / CARD, card)
    return promotion


def served_manifest(history: History, promotion: Promotion) -> Manifest:
    """Return the manifest of a promoted model: its run's, and what holds in service.

    The thresholds of drift are computed here, because older runs do not have them.
    """
    kept = history.model_folder(promotion.run_id, promotion.model_id)
    trained = TrainedManifest.read(kept / MANIFEST)
    thresholds = bootstrap(trained.reference, trained.holdout.rows)
    update = promotion.model_dump(include=IN_MANIFEST)
    update["reference"] = trained.reference.model_copy(
        update={"thresholds": thresholds}
    )
    run = history.run(promotion.run_id)
    if run.ended:
        milliseconds = run.ended - run.started
        update["training_seconds"] = milliseconds / 1000
    return Manifest.of(trained, **update)


def finish(tip: Repo, history: History, run_ids: list[str]) -> None:
    """Write the report, and verify what is about to be committed.

    Of the other runs the summaries of their days are read, where there are such.

    Raises:
        PipelineError: a file, digest or link is wrong.
    """
    days = day_summaries.read(history, day_summaries.folder(tip))
    report.write(tip, history, days)
    if isinstance(history, CommittedHistory):
        history.take_models_as_read(day_summaries.models_by_run(days))
    faults = history.verify(run_ids)
    if faults:
        raise PipelineError(
            "the new commit would damage the history, so nothing was published:"
            f" {listed(faults)}."
        )


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
