"""`pipeline promote`: put an earlier version back into service, and publish that."""

from core.errors import UsageError
from history import Promotion
from pipeline.publish import record
from pipeline.publish.loop import Change, land
from pipeline.publish.tip import Tip
from pipeline.repo import Repo
from pipeline.report.templates import render

# What a new version shares with the earlier one that it goes back to.
SHARED = record.IDENTITY | {"commit", "metrics"}


def promote(
    repo: Repo,
    task: str,
    version: int | None,
    reason: str,
    remote: str,
    branch: str | None,
) -> tuple[str, str]:
    """Put an earlier version of a task's model back into service.

    Returns the commit and its message.

    Args:
        version: None means the one before the champion.

    Raises:
        UsageError: there is no such version, or it is in service already.
        PipelineError: see `loop.land`.
    """

    def change(tip: Tip) -> Change:
        with tip.history() as history:
            older = _choose(history.promotions(task), task, version)
            entry = record.promote(
                tip,
                history,
                task,
                history.model_folder(older.run_id, older.model_id),
                decided_by="hand",
                reason=reason or f"manual rollback to version {older.version}",
                checks=[],
                **older.model_dump(include=SHARED),
            )
            record.finish(tip, history, [entry.run_id])
        return Change(render("manual_promotion.txt", entry=entry))

    return land(repo, remote, branch, change)


def _choose(versions: list[Promotion], task: str, version: int | None) -> Promotion:
    """Return the version to go back to; by default the one before the champion."""
    count = len(versions)
    if count == 0:
        raise UsageError(
            f"the registry has no version of {task}: train and publish a model first."
        )
    if version is None and count == 1:
        raise UsageError(
            f"{task} has no earlier version to go back to: version 1 is the only one in"
            " the registry."
        )
    wanted = count - 1 if version is None else version
    if not 1 <= wanted <= count:
        available = f"versions 1 to {count}"
        if count == 1:
            available = "only version 1"
        raise UsageError(
            f"{task} has no version {wanted}: the registry has {available}."
        )
    older = versions[wanted - 1]
    champion = versions[-1]
    if older.sha256 == champion.sha256:
        raise UsageError(
            f"version {wanted} of {task} is already in service: choose another one with"
            " --version."
        )
    return older
