"""Writes what a bundle changes into a checkout of the tip: data, runs, promotions."""

import json
import shutil
from pathlib import Path

from core.files import write_atomic
from history import layout, runfile
from history.runfile import Run
from pipeline.bundle import Bundle, TaskResult
from pipeline.publish import record
from pipeline.publish.gate import Decision
from pipeline.repo import Repo


def apply(
    tip: Repo, folder: Path, bundle: Bundle, decisions: dict[str, Decision]
) -> None:
    """Write a bundle's snapshots and runs, and promote the challengers that won.

    Raises:
        PipelineError: the result does not verify.
    """
    for snapshot in (folder / "data").glob("*.csv.gz"):
        write_atomic(tip.data / snapshot.name, snapshot.read_bytes())
    sources = layout.run_folders(folder / "mlruns")
    published = []
    for name, result in bundle.tasks.items():
        for run_id in result.run_ids:
            run = runfile.load(sources[run_id] / layout.RUN_FILE)
            if run_id == result.parent_run:
                run = _with_decision(run, decisions[name])
            _write_run(tip, run, sources[run_id])
            published.append(run_id)
        if decisions[name].promote:
            _promote(tip, folder, bundle.commit, name, result, decisions[name])
    record.finish(tip, published)


def _with_decision(run: Run, decision: Decision) -> Run:
    """Return a task's parent run with the gate's decision in its tags."""
    checks = [check.model_dump() for check in decision.checks]
    tags = {
        "gate": decision.tag,
        "gate.reason": decision.reason,
        "gate.checks": json.dumps(checks),
    }
    return run.model_copy(update={"tags": run.tags | tags})


def _write_run(tip: Repo, run: Run, source: Path) -> None:
    """Write a run into the history, without the files of its models."""
    day = layout.day_folder(tip.mlruns, run.experiment, run.started)
    target = day / run.run_id
    if (source / layout.ARTIFACTS).is_dir():
        shutil.copytree(source / layout.ARTIFACTS, target / layout.ARTIFACTS)
    write_atomic(target / layout.RUN_FILE, runfile.dump(run))


def _promote(
    tip: Repo,
    folder: Path,
    commit: str,
    name: str,
    result: TaskResult,
    decision: Decision,
) -> None:
    challenger = result.challenger
    if challenger is None:
        return
    record.promote(
        tip,
        name,
        record.model_folder(Repo(folder), challenger),
        commit=commit,
        decided_by="gate",
        reason=decision.reason,
        checks=decision.checks,
        metrics=challenger.holdout,
        **challenger.model_dump(include=record.IDENTITY),
    )
