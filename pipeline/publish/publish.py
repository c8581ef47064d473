"""`pipeline publish`: the bundle's runs, judged against the tip's champions, as one
commit.
"""

import json
import shutil
from functools import cache
from pathlib import Path

from core import tracing
from core.errors import PipelineError
from core.files import sha256_file, write_atomic
from core.git import git
from history import layout, registry, runfile
from history.verify import MODEL
from pipeline import bundle as bundles
from pipeline import tasks, workflow
from pipeline.bundle import Bundle
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.publish import record
from pipeline.publish.base import require_ancestor
from pipeline.publish.gate import Decision, judge
from pipeline.publish.loop import Change, land
from pipeline.repo import Repo
from pipeline.report.templates import render
from pipeline.train.predict import OnnxModel

NAMED = 5  # of changed files, in an error


def publish(
    repo: Repo, folder: Path, remote: str, branch: str | None, dry_run: bool = False
) -> tuple[str, str]:
    """Publish the bundle in `folder` to a remote's branch; return the commit and its
    message.

    Calling it again after a landing, or after a kill, finds the commit, says so instead
    of the message, and changes nothing. A dry run makes the commit that would be
    pushed, from a bundle of any commit, and keeps it here.

    Args:
        branch: None means the remote's default branch.

    Raises:
        PipelineError: the bundle is damaged, or was trained on changes that are in no
            commit; or see `loop.land`.
    """
    bundle = bundles.read(folder)
    if bundle.dirty:
        raise PipelineError(
            "the bundle was trained on changes that are in no commit"
            f" ({_some(bundle.dirty)}): commit and push them, then train again."
        )

    @cache  # a lost race brings up the same champion again, mostly
    def decide(name: str, served: bytes | None) -> Decision:
        challenger = bundle.tasks[name].challenger
        if challenger is None:
            return Decision(False, "every candidate failed; see the runs", [])
        model = OnnxModel(record.model_folder(Repo(folder), challenger) / MODEL)
        champion = OnnxModel(served) if served else None
        task, path = tasks.load(name), folder / "holdout" / f"{name}.csv.gz"
        holdout = validate(task, tables.read(path), path.name)
        return judge(task, challenger, model, champion, holdout)

    def change(tip: Repo) -> Change:
        if commit := _landed_before(tip, bundle):
            return Change(_told_before(tip, commit), commit)
        if not dry_run:
            require_ancestor(tip.root, bundle.commit, "the bundle")
        decisions = {}
        for name in bundle.tasks:
            with tracing.span("judge challenger", {"task": name}) as span:
                decisions[name] = decide(name, _served(tip, name))
                span.set_attribute("decision", decisions[name].tag)
        _apply(tip, folder, bundle, decisions)
        return Change(_message(tip, bundle, decisions))

    return land(repo, remote, branch, change, dry_run, bundle.commit)


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return ", ".join(paths[:NAMED]) + more


def _landed_before(tip: Repo, bundle: Bundle) -> str | None:
    """Return the commit that brought this bundle's runs, if one did."""
    run_id = next(iter(bundle.tasks.values())).parent_run
    folder = layout.run_folders(tip.mlruns).get(run_id)
    if folder is None:
        return None
    # In a branch of its own it may be a merge (-m), and other merges bring it to other
    # branches.
    search = (
        "--reverse",
        "-m",
        "--format=%H",
        "--diff-filter=A",
        "--",
        folder.as_posix(),
    )
    return git(tip.root, "log", *search).splitlines()[0]


def _told_before(tip: Repo, commit: str) -> str:
    found, day = git(tip.root, "log", "-1", "--format=%h %cs", commit).split()
    return (
        f"This bundle landed before, as commit {found} on {day}: nothing was published"
        " now. To publish something new, run `pipeline train` again."
    )


def _served(tip: Repo, name: str) -> bytes | None:
    """Return a task's model as it is served at the tip, which must be the registry's
    champion.
    """
    champion = registry.champion(tip.mlruns, name)
    if champion is None:
        return None
    model = tip.models / name / MODEL
    if not model.is_file() or sha256_file(model) != champion.sha256:
        raise PipelineError(
            f"{model.relative_to(tip.root)} is not version {champion.version}, the"
            " champion in the registry: `pipeline history verify`, run at the branch's"
            " tip, says how to mend it."
        )
    return model.read_bytes()


def _apply(
    tip: Repo, folder: Path, bundle: Bundle, decisions: dict[str, Decision]
) -> None:
    """Write into a checkout of the tip all that this bundle means for it."""
    for snapshot in (folder / "data").glob("*.csv.gz"):
        write_atomic(tip.data / snapshot.name, snapshot.read_bytes())
    sources = layout.run_folders(folder / "mlruns")
    for name, result in bundle.tasks.items():
        for run_id in result.run_ids:
            decision = decisions[name] if run_id == result.parent_run else None
            _copy_run(tip, sources[run_id], decision)
        if decisions[name].promote and result.challenger:
            record.promote(
                tip,
                name,
                record.model_folder(Repo(folder), result.challenger),
                commit=bundle.commit,
                decided_by="gate",
                reason=decisions[name].reason,
                checks=decisions[name].checks,
                metrics=result.challenger.holdout,
                **result.challenger.model_dump(include=record.IDENTITY),
            )
    record.finish(
        tip, [run_id for result in bundle.tasks.values() for run_id in result.run_ids]
    )


def _copy_run(tip: Repo, source: Path, decision: Decision | None) -> None:
    """Copy a run into the history, less its models; a task's parent run is told the
    decision.
    """
    run = runfile.load(source / layout.RUN_FILE)
    if decision:
        tags = {
            "gate": decision.tag,
            "gate.reason": decision.reason,
            "gate.checks": json.dumps(
                [check.model_dump() for check in decision.checks]
            ),
        }
        run = run.model_copy(update={"tags": run.tags | tags})
    target = layout.day_folder(tip.mlruns, run.experiment, run.started) / run.run_id
    if (source / layout.ARTIFACTS).is_dir():
        shutil.copytree(source / layout.ARTIFACTS, target / layout.ARTIFACTS)
    write_atomic(target / layout.RUN_FILE, runfile.dump(run))


def _message(tip: Repo, bundle: Bundle, decisions: dict[str, Decision]) -> str:
    """Say in the first line what was promoted and what stays; then why; then the
    evidence.

    By the first trailer the pipeline knows its own commits and does not answer them
    with a run.
    """
    champions = {name: registry.champion(tip.mlruns, name) for name in decisions}
    told = {"bundle": bundle, "decisions": decisions, "champions": champions}
    return render("published.txt", **told, workflow=workflow.run_url())
