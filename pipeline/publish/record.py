"""Recording a promotion: the registry's entry, the model's files, and what is in
service.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from core.files import to_json, write_atomic
from history import layout, registry, runfile
from history.faults import listed
from history.registry import Promotion
from history.verify import MANIFEST, MODEL
from pipeline import report
from pipeline.bundle import Challenger
from pipeline.publish.thresholds import bootstrap
from pipeline.repo import Repo
from pipeline.report.templates import render
from pipeline.verification import verify

CARD = "MODEL_CARD.md"
# What names a model in the registry and in a bundle alike.
IDENTITY = {"run_id", "model_id", "sha256", "size"}


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
    write_atomic(target / MANIFEST, to_json(manifest))
    write_atomic(target / CARD, render(CARD, manifest=manifest, promotion=promotion))
    return promotion


def served_manifest(repo: Repo, kept: Path, promotion: Promotion) -> dict[str, Any]:
    """Return the manifest of a promoted model: that of its run, and what holds in
    service.

    What drift is judged by is made here, of the reference: older runs did not have it.
    """
    manifest: dict[str, Any] = json.loads((kept / MANIFEST).read_bytes())
    run = runfile.load(
        layout.run_folders(repo.mlruns)[promotion.run_id] / layout.RUN_FILE
    )
    if run.ended:
        manifest["training_seconds"] = (run.ended - run.started) / 1000
    rows = manifest["holdout"]["rows"]
    manifest["reference"]["thresholds"] = bootstrap(manifest["reference"], rows)
    ids = {"version", "run_id", "model_id", "commit", "promoted"}
    return manifest | promotion.model_dump(include=ids)


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
