"""A publication made again: the same training, the same bytes, the same decision.

The code is the grader's own; parameters, tasks, the list of estimators and the tables are
the student's, and so are the champions that the gate compared with.
"""

import csv
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from core.file_names import MODELS
from course.classroom import ROOT
from course.copy import Copy
from course.grading import history, process, same, sandbox, worktree
from course.grading.history import Publication
from course.grading.result import Red

# An honest copy must end in time on a computer that is busy with other work.
TRAIN_SECONDS = 600
PUBLISH_SECONDS = 120
PROMOTED = "promoted"


@dataclass(frozen=True)
class Decision:
    """What the gate decided about a challenger.

    Attributes:
        word: `promoted` or `refused`.
        failed: the names of the checks of the gate that failed.
        algorithm: the candidate that became the challenger.
    """

    word: str
    failed: tuple[str, ...]
    algorithm: str


@dataclass(frozen=True)
class Replay:
    """A publication made again, for one task.

    Attributes:
        decision: what the gate decides now.
        sha256: the digest of the challenger's ONNX file now.
        run: the run of the training now, as its `run.json` has it.
        runs: that run and those of its candidates.
        bundle: what `bundle.json` says about the task.
        model: the challenger's ONNX file now.
        holdout: the rows that it was judged on, as text by column.
    """

    decision: Decision
    sha256: str
    run: dict[str, Any]
    runs: list[dict[str, Any]]
    bundle: dict[str, Any]
    model: bytes
    holdout: list[dict[str, str]]


def decision(run: Mapping[str, Any]) -> Decision:
    """Return the gate's decision, from the run of a training."""
    tags = run["tags"]
    checks = json.loads(tags.get("gate.checks", "[]"))
    failed = []
    for check in checks:
        if not check["passed"]:
            name = str(check["name"])
            failed.append(name)
    params = run.get("params", {})
    challenger = str(params.get("challenger", ""))
    word = str(tags["gate"])
    return Decision(word, tuple(failed), challenger)


def promotions(copy: Copy, task: str) -> list[Publication]:
    """Return the publications in which the gate promoted a model of a task, oldest first."""
    listed = []
    for publication in history.publications(copy):
        run = history.training(copy, publication, task)
        if run and decision(run).word == PROMOTED:
            listed.append(publication)
    return listed


def replay(copy: Copy, publication: Publication, task: str) -> Replay:
    """Train and decide once more what a publication says about a task.

    Raises:
        Red: that cannot be done.
    """
    with worktree.folder() as parent:
        tree = parent / "t"
        tree.mkdir()
        _write(copy, publication, tree)
        worktree.commit_all(tree)
        bundle = train(tree, task)
        return _publish(tree, bundle, task)


def _write(copy: Copy, publication: Publication, tree: Path) -> None:
    worktree.template_code(ROOT, tree)
    worktree.student_settings(copy, publication.source, tree)
    # The publication may have brought the table's snapshot.
    parts = (
        (publication.commit, "data"),
        (publication.parent, "mlruns"),
        (publication.parent, MODELS),
    )
    for commit, part in parts:
        if copy.has(part, commit):
            worktree.write(copy, commit, part, tree)
    models = tree / MODELS
    models.mkdir(parents=True, exist_ok=True)


def train(tree: Path, *tasks: str, seconds: float = TRAIN_SECONDS) -> Path:
    """Train tasks in a folder, and return the bundle's folder.

    Raises:
        Red: the training fails.
    """
    bundle = tree / "build" / "bundle"
    command = process.python("-m", "pipeline", "train")
    for task in tasks:
        command += ["--task", task]
    command += ["--out", str(bundle)]
    outcome = sandbox.run(command, tree, seconds, writes=sandbox.EVERYTHING)
    if not outcome.succeeded:
        names = ", ".join(tasks)
        raise Red(
            f"the training of {names} fails: {outcome.reason}",
            "the same commit trains again",
        )
    return bundle


def content(bundle: Path, task: str) -> dict[str, Any]:
    """Return what `bundle.json` says about a task."""
    text = (bundle / "bundle.json").read_text("utf-8")
    whole = json.loads(text)
    result: dict[str, Any] = whole["tasks"][task]
    return result


def _publish(tree: Path, bundle: Path, task: str) -> Replay:
    publish = process.python("-m", "pipeline", "publish", "--branch", "main")
    pull = ["git", "pull", "--quiet", "--ff-only", "origin", "main"]
    # Also the second: what ran in this folder may have changed Git's settings there.
    for command in (publish, pull):
        outcome = sandbox.run(command, tree, PUBLISH_SECONDS, writes=sandbox.EVERYTHING)
        if not outcome.succeeded:
            raise Red(f"the decision about {task} cannot be repeated: {outcome.reason}")
    result = content(bundle, task)
    challenger = result["challenger"]
    if challenger is None:
        raise PipelineError(f"no candidate of {task} could be trained again.")
    run_ids = [result["parent_run"], *result["run_ids"]]
    runs = [_run(tree, task, run_id) for run_id in run_ids]
    model_id = challenger["model_id"]
    kept = f"mlruns/{task}/*/*/models/{model_id}/model.onnx"
    model = next(bundle.glob(kept))
    return Replay(
        decision=decision(runs[0]),
        sha256=challenger["sha256"],
        run=runs[0],
        runs=runs,
        bundle=result,
        model=model.read_bytes(),
        holdout=_rows(bundle / "holdout" / f"{task}.csv.gz"),
    )


def _run(tree: Path, task: str, run_id: str) -> dict[str, Any]:
    pattern = f"mlruns/{task}/*/{run_id}/run.json"
    path = next(tree.glob(pattern))
    text = path.read_text("utf-8")
    run: dict[str, Any] = json.loads(text)
    return run


def _rows(table: Path) -> list[dict[str, str]]:
    with gzip.open(table, "rt", encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        return list(reader)


def require_same(copy: Copy, publication: Publication, task: str) -> Replay:
    """Make a publication again, and check that decision, metrics and bytes are the same.

    Of another kind of machine, whose last digits differ, metrics and predictions have to
    agree within the task's tolerance.

    Raises:
        Red: they are not, or there is no such training.
    """
    recorded = history.training(copy, publication, task)
    if recorded is None:
        raise Red(f"the commit {publication.commit[:7]} has no training of {task}")
    again = replay(copy, publication, task)
    was = decision(recorded)
    if again.decision != was:
        raise Red(
            f"{publication.commit[:7]} says {_describe(was)}; made again it is"
            f" {_describe(again.decision)}",
            "the same commit leads to the same decision",
        )
    allowed = same.tolerance(copy, publication, task, recorded)
    candidates = history.runs(copy, publication, task)
    holdout = again.bundle["challenger"]["holdout"]
    same.require_metrics(candidates, was.algorithm, holdout, allowed)
    digest = challenger_digest(publication, task)
    if digest == again.sha256:
        return again
    if not allowed:
        raise Red(
            f"the model of {publication.commit[:7]} is {digest[:12]}; made again it is"
            f" {again.sha256[:12]}",
            "the same commit leads to the same file",
        )
    if was.word == PROMOTED:
        kept = copy.content(f"{MODELS}/{task}/model.onnx", publication.commit)
        same.require_predictions(kept, digest, again.model, again.holdout, allowed)
    return again


def _describe(decided: Decision) -> str:
    text = f"{decided.algorithm} {decided.word}"
    if not decided.failed:
        return text
    failed = ", ".join(decided.failed)
    return f"{text} ({failed})"


def challenger_digest(publication: Publication, task: str) -> str:
    """Return the digest of the challenger that a publication names; empty if none."""
    prefix = f"Mlops-Challenger: {task} sha256:"
    for line in publication.message.splitlines():
        if line.startswith(prefix):
            return line.removeprefix(prefix).strip()
    return ""
