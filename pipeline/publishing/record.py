"""Recording a promotion: the registry's next entry, the model's files, what is in service."""

import shutil
import time
from pathlib import Path
from typing import Literal

from pipeline.bundle import Challenger
from pipeline.errors import PipelineError
from pipeline.files import write_atomic
from pipeline.history import layout, registry
from pipeline.history.registry import Check, Promotion
from pipeline.history.verify import verify
from pipeline.publishing import serving
from pipeline.repo import Repo


def next_promotion(
    tip: Repo,
    name: str,
    challenger: Challenger,
    commit: str,
    decided_by: Literal["gate", "hand"],
    reason: str,
    checks: list[Check],
) -> Promotion:
    """Return the registry's next entry for a task, in which a challenger becomes champion."""
    champion = registry.champion(tip.mlruns, name)
    return Promotion(
        format=registry.FORMAT,
        model=name,
        version=champion.version + 1 if champion else 1,
        run_id=challenger.run_id,
        model_id=challenger.model_id,
        sha256=challenger.sha256,
        size=challenger.size,
        promoted=now(),
        commit=commit,
        decided_by=decided_by,
        reason=reason,
        checks=checks,
        metrics=challenger.holdout,
        replaces=champion.version if champion else None,
    )


def record_promotion(tip: Repo, promotion: Promotion, files: Path) -> None:
    """Keep a promoted model's files with its run, write the registry entry, put it into service."""
    kept = layout.run_folders(tip.mlruns)[promotion.run_id] / layout.MODELS / promotion.model_id
    if not kept.exists():
        shutil.copytree(files, kept)
    entry = registry.path_of(tip.mlruns, promotion.model, promotion.version)
    write_atomic(entry, registry.dump(promotion))
    serving.deploy(tip, promotion)


def check(tip: Repo, run_ids: list[str]) -> None:
    """Verify what is about to be committed.

    Raises:
        PipelineError: a file, digest or link is wrong; the first fault is named.
    """
    faults = verify(tip, run_ids)
    if faults:
        raise PipelineError(
            f"the result does not verify, so nothing was published: {faults[0]}"
            f"{f' (and {len(faults) - 1} more)' if len(faults) > 1 else ''}"
        )


def now() -> int:
    """Return the time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
