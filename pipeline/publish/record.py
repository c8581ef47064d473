"""Recording a promotion: the registry's entry, the model's files, and what is in
service.
"""

import shutil
import time
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from core.file_names import CARD, MANIFEST, MODEL
from core.files import write_atomic
from core.manifest import Manifest, TrainedManifest
from history import layout, registry, runfile
from history.faults import listed
from history.registry import Promotion
from pipeline import report
from pipeline.bundle import Challenger
from pipeline.publish.thresholds import bootstrap
from pipeline.repo import Repo
from pipeline.report.templates import render
from pipeline.verification import verify

# What names a model in the registry and in a bundle alike.
IDENTITY = {"run_id", "model_id", "sha256", "size"}
# What the manifest of a served model has from its entry in the registry.
IN_MANIFEST = {"version", "run_id", "model_id", "commit", "promoted"}


def model_folder(repo: Repo, model: Challenger | Promotion) -> Path:
    """Return where a model's files lie with its run; a bundle is laid out like the
    repository.
    """
    run = layout.run_folders(repo.mlruns)[model.run_id]
    return run / layout.MODELS / model.model_id


def promote(tip: Repo, task: str, files: Path, **details: Any) -> Promotion:
    """Record the next version of a task's model and put it into service; return its
    entry.

    The model's files are kept with its run, and `details` are the entry's other fields.
    """
    champion = registry.champion(tip.mlruns, task)
    promotion = Promotion(
        **details,
        format=1,
        model=task,
        version=champion.version + 1 if champion else 1,
        promoted=now(),
        replaces=champion.version if champion else None,
    )
    kept = model_folder(tip, promotion)
    if not kept.exists():
        shutil.copytree(files, kept)
    entry = registry.path_of(tip.mlruns, task, promotion.version)
    write_atomic(entry, registry.dump(promotion))
    manifest = served_manifest(tip, kept, promotion)
    target = tip.models / task
    write_atomic(target / MODEL, (kept / MODEL).read_bytes())
    write_atomic(target / MANIFEST, manifest.render())
    write_atomic(target / CARD, render(CARD, manifest=manifest, promotion=promotion))
    return promotion


def served_manifest(repo: Repo, kept: Path, promotion: Promotion) -> Manifest:
    """Return the manifest of a promoted model: that of its run, and what holds in
    service.

    What drift is judged by is made here, of the reference: older runs did not have it.
    """
    trained = TrainedManifest.read(kept / MANIFEST)
    thresholds = bootstrap(trained.reference, trained.holdout.rows)
    update = promotion.model_dump(include=IN_MANIFEST)
    update["reference"] = trained.reference.model_copy(
        update={"thresholds": thresholds}
    )
    run = runfile.load(
        layout.run_folders(repo.mlruns)[promotion.run_id] / layout.RUN_FILE
    )
    if run.ended:
        update["training_seconds"] = (run.ended - run.started) / 1000
    return Manifest.of(trained, **update)


def finish(tip: Repo, run_ids: list[str]) -> None:
    """Write the report anew, and verify what is about to be committed.

    Raises:
        PipelineError: a file, digest or link is wrong.
    """
    report.write(tip)
    if faults := verify(tip, run_ids):
        raise PipelineError(
            f"the result does not verify, so nothing was published: {listed(faults)}."
        )


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
