"""`pipeline publish`: a bundle's runs and the gate's decisions, as one commit."""

from pathlib import Path

from core import tracing
from core.errors import PipelineError
from history import History
from pipeline import bundle as bundles
from pipeline import bundle_shards, workflow
from pipeline.bundle import Bundle
from pipeline.publish.apply import apply
from pipeline.publish.contest import Contest
from pipeline.publish.gate import Decision
from pipeline.publish.loop import Change, land
from pipeline.publish.tip import Tip
from pipeline.repo import Repo
from pipeline.report.templates import render

NAMED = 5  # the most changed files that an error names


def publish(
    repo: Repo, folder: Path, remote: str, branch: str | None, dry_run: bool = False
) -> tuple[str, str]:
    """Publish the bundle in `folder` to a branch; return the commit and its message.

    A folder with a bundle for each shard of a training is published as one bundle.

    If the bundle was published before, nothing changes; its commit is returned with a
    sentence that says so. A dry run makes the commit that would be pushed, from a
    bundle of any commit, and keeps it here.

    Args:
        branch: None means the remote's default branch.

    Raises:
        PipelineError: the bundle is damaged, or was trained on uncommitted changes; or
            see `loop.land`.
    """
    with bundle_shards.joined(folder) as whole:
        bundle = bundles.read(whole)
        _require_publishable(bundle)
        contest = Contest(whole, bundle)
        return _land(repo, contest, remote, branch, dry_run)


def _require_publishable(bundle: Bundle) -> None:
    if not bundle.tasks:
        names = ", ".join(bundle.waiting)
        raise PipelineError(
            "nothing was trained, since no data can be had: waiting are"
            f" {names}. Train again later."
        )
    if bundle.dirty:
        raise PipelineError(
            f"the bundle was trained with uncommitted changes ({_some(bundle.dirty)}):"
            " commit and push them, then run `pipeline train` again."
        )


def _land(
    repo: Repo, contest: Contest, remote: str, branch: str | None, dry_run: bool
) -> tuple[str, str]:
    """Land the bundle's runs and the decisions about its challengers."""
    bundle = contest.bundle

    def change(tip: Tip) -> Change:
        with tip.history() as history:
            earlier = _landed_before(tip, history, bundle)
            if earlier:
                return Change(_landed_message(tip, earlier), earlier)
            if not dry_run:
                tip.require(bundle.commit, "the bundle")
            decisions = _decide(contest, tip, history)
            apply(contest, decisions, tip, history)
            return Change(_message(history, bundle, decisions))

    return land(repo, remote, branch, change, dry_run, bundle.commit)


def _some(paths: list[str]) -> str:
    names = ", ".join(paths[:NAMED])
    if len(paths) > NAMED:
        names += f" and {len(paths) - NAMED} more"
    return names


def _decide(contest: Contest, tip: Repo, history: History) -> dict[str, Decision]:
    """Compare each task's challenger with the champion at the tip."""
    decisions = {}
    for name in contest.bundle.tasks:
        with tracing.span("judge challenger", {"task": name}) as span:
            decision = contest.decide(name, tip, history)
            span.set_attribute("decision", decision.tag)
        decisions[name] = decision
    return decisions


def _landed_before(tip: Tip, history: History, bundle: Bundle) -> str | None:
    """Return the commit that brought this bundle's runs, if there is one."""
    result = next(iter(bundle.tasks.values()))
    folder = history.folders.get(result.parent_run)
    if folder is None:
        return None
    return tip.added_by(folder)


def _landed_message(tip: Tip, commit: str) -> str:
    name, day = tip.describe(commit, "%h %cs").split()
    return (
        f"This bundle was already published on {day}, as commit {name}, so nothing was"
        " published now. To publish something new, run `pipeline train` first."
    )


def _message(history: History, bundle: Bundle, decisions: dict[str, Decision]) -> str:
    """Return the commit's message: a summary, the reasons, and trailers as evidence.

    By the first trailer the pipeline recognizes its own commits, and doesn't respond to
    them with another run.
    """
    champions = {name: history.champion(name) for name in decisions}
    return render(
        "published.txt",
        bundle=bundle,
        decisions=decisions,
        champions=champions,
        workflow=workflow.run_url(),
    )
