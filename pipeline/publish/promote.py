"""`pipeline promote`: a person's decision for an earlier version, published like the
gate's.
"""

from core.errors import UsageError
from history import registry
from pipeline.publish import record
from pipeline.publish.loop import Change, land
from pipeline.repo import Repo
from pipeline.report.templates import render


def promote(
    repo: Repo,
    task: str,
    version: int | None,
    reason: str,
    remote: str,
    branch: str | None,
) -> tuple[str, str]:
    """Put an earlier version of a task's model back into service; return the commit and
    message.

    Args:
        version: None means the one before the champion.

    Raises:
        UsageError: there is no such version, or it is in service already.
        PipelineError: see `loop.land`.
    """

    def change(tip: Repo) -> Change:
        older = _choose(tip, task, version)
        entry = record.promote(
            tip,
            task,
            record.model_folder(tip, older),
            decided_by="hand",
            reason=reason or f"manual return to version {older.version}",
            checks=[],
            **older.model_dump(include={*record.IDENTITY, "commit", "metrics"}),
        )
        record.finish(tip, [entry.run_id])
        return Change(render("manual_promotion.txt", entry=entry))

    return land(repo, remote, branch, change)


def _choose(tip: Repo, task: str, version: int | None) -> registry.Promotion:
    known = registry.versions(tip.mlruns, task)
    if version is None and len(known) < 2:
        held = "version 1 alone" if known else "none"
        raise UsageError(
            f"{task} has no earlier version to go back to: the registry holds {held}."
        )
    wanted = len(known) - 1 if version is None else version
    if not 1 <= wanted <= len(known):
        held = f"versions 1 to {len(known)}" if known else "none"
        raise UsageError(
            f"{task} has no version {wanted} to go back to: the registry holds {held}."
        )
    if known[wanted - 1].sha256 == known[-1].sha256:
        raise UsageError(
            f"version {wanted} of {task} is in service already: choose another."
        )
    return known[wanted - 1]
