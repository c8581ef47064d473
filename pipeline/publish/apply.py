"""Writes what a bundle changes into the folder of the tip: data, runs, promotions."""

import json
from pathlib import Path

from core.files import write_atomic
from history import History, Promotion, Run, layout
from pipeline import tasks
from pipeline.publish import record, winners_luck
from pipeline.publish.contest import Contest
from pipeline.publish.gate import Decision
from pipeline.repo import Repo
from pipeline.report.day_summaries import CHALLENGER, CHAMPION


def apply(
    contest: Contest,
    decisions: dict[str, Decision],
    tip: Repo,
    history: History,
) -> None:
    """Write a bundle's snapshots and runs, and promote the challengers that won.

    Args:
        history: the history of the tip.

    Raises:
        PipelineError: the result does not verify.
    """
    for snapshot in (contest.folder / "data").glob("*.csv.gz"):
        write_atomic(tip.data / snapshot.name, snapshot.read_bytes())
    published = []
    for name, result in contest.bundle.tasks.items():
        for run_id in result.run_ids:
            run = contest.trained.run(run_id)
            if run_id == result.parent_run:
                run = _with_decision(run, decisions[name], history.champion(name))
            history.add(run, _artifacts(run, contest.trained.folder(run_id)))
            published.append(run_id)
        if decisions[name].promote:
            _promote(contest, name, decisions[name], tip, history)
    record.finish(tip, history, published)


def _with_decision(run: Run, decision: Decision, champion: Promotion | None) -> Run:
    """Return a task's parent run with the gate's decision in its tags.

    The tags of champion and challenger count the comparisons on the hold-out.
    """
    checks = [check.model_dump() for check in decision.checks]
    tags = {
        "gate": decision.tag,
        "gate.reason": decision.reason,
        "gate.checks": json.dumps(checks),
    }
    if champion and decision.compared:
        tags[CHAMPION] = str(champion.version)
        tags[CHALLENGER] = decision.compared
    return run.model_copy(update={"tags": run.tags | tags})


def _artifacts(run: Run, folder: Path) -> dict[str, Path]:
    """Return the files of a run without those of its models, which are not kept."""
    files = {}
    for artifact in run.artifacts:
        path = f"{layout.ARTIFACTS}/{artifact.path}"
        files[path] = folder / path
    return files


def _promote(
    contest: Contest, name: str, decision: Decision, tip: Repo, history: History
) -> None:
    challenger = contest.bundle.tasks[name].challenger
    if challenger is None:
        return
    metric = tasks.load(name).metric
    record.promote(
        tip,
        history,
        name,
        contest.trained.model_folder(challenger.run_id, challenger.model_id),
        commit=contest.bundle.commit,
        decided_by="gate",
        reason=decision.reason,
        checks=decision.checks,
        metrics=winners_luck.corrected(metric, challenger.holdout, decision.luck),
        **challenger.model_dump(include=record.IDENTITY),
    )
