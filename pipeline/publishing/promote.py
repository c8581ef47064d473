"""`pipeline promote`: a person's decision, recorded and published like the gate's."""

from pathlib import Path

from pipeline import bundle as bundles
from pipeline import report, tasks
from pipeline.errors import PipelineError, UsageError
from pipeline.history import layout, registry
from pipeline.history.registry import Promotion
from pipeline.publishing import serving
from pipeline.publishing.loop import Change, land
from pipeline.publishing.publish import TRAILER, Landed
from pipeline.publishing.record import check, next_promotion, now, record_promotion
from pipeline.repo import Repo


def promote(
    repo: Repo,
    task: str,
    version: int | None,
    reason: str,
    folder: Path,
    remote: str,
    branch: str,
) -> Landed:
    """Make an earlier version, or the bundle's refused challenger, a task's champion.

    Raises:
        UsageError: no such task or version, or it is in service already.
        PipelineError: the challenger's ONNX file disagrees with its estimator, which nobody may
            overrule; or see `loop.land`.
    """
    tasks.load(task)
    messages: list[str] = []

    def change(tip: Repo) -> Change:
        if version is None:
            promotion, files = _from_bundle(tip, task, folder, reason)
        else:
            promotion, files = _from_version(tip, task, version, reason)
        record_promotion(tip, promotion, files)
        report.write(tip)
        check(tip, [promotion.run_id])
        messages[:] = [_message(promotion)]
        return Change(messages[0])

    commit = land(repo, remote, branch, change)
    gate = {task: {"gate": "promoted by hand", "gate.reason": reason}}
    return Landed(commit, messages[0], gate)


def _from_version(tip: Repo, task: str, version: int, reason: str) -> tuple[Promotion, Path]:
    known = registry.versions(tip.mlruns, task)
    if not 1 <= version <= len(known):
        raise UsageError(
            f"{task} has no version {version}: the registry holds "
            f"{f'1 to {len(known)}' if known else 'none'}; see `pipeline history list`."
        )
    if version == len(known):
        raise UsageError(f"version {version} of {task} is the champion already.")
    older = known[version - 1]
    if older.sha256 == known[-1].sha256:
        raise UsageError(f"version {version} of {task} is the champion's very file already.")
    update = {
        "version": len(known) + 1,
        "promoted": now(),
        "decided_by": "hand",
        "reason": reason or f"rolled back to version {version} by hand",
        "checks": [],
        "replaces": len(known),
    }
    return older.model_copy(update=update), serving.model_folder(tip, older)


def _from_bundle(tip: Repo, task: str, folder: Path, reason: str) -> tuple[Promotion, Path]:
    bundle = bundles.read(folder)
    result = bundle.tasks.get(task)
    if result is None or result.challenger is None:
        raise UsageError(f"the bundle in {folder} holds no challenger for {task}.")
    challenger, champion = result.challenger, registry.champion(tip.mlruns, task)
    if challenger.run_id not in layout.run_folders(tip.mlruns):
        raise UsageError("the bundle's runs are not published yet: run `pipeline publish` first.")
    if champion and champion.sha256 == challenger.sha256:
        raise UsageError(f"the bundle's challenger for {task} is the champion already.")
    if challenger.parity.mismatches:
        raise PipelineError(
            f"{challenger.parity.mismatches} of {challenger.parity.rows} rows differ between the "
            "ONNX file and its estimator: such a model cannot be promoted, not even by hand."
        )
    promotion = next_promotion(
        tip,
        task,
        challenger,
        bundle.commit,
        "hand",
        reason or "the gate's no was overruled by hand",
        challenger.behaviours,
    )
    run = layout.run_folders(folder / "mlruns")[challenger.run_id]
    return promotion, run / layout.MODELS / challenger.model_id


def _message(promotion: Promotion) -> str:
    model, version = promotion.model, promotion.version
    trailers = [
        f"{TRAILER}: {promotion.commit}",
        f"Mlops-Runs: {model} {promotion.run_id}",
        f"Mlops-Champion: {model} sha256:{promotion.sha256}",
    ]
    head = f"chore(publish): {model} v{version} promoted by hand"
    return "\n".join([head, "", f"- {promotion.reason}", "", *trailers, ""])
