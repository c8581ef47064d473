"""`pipeline train`: fit and judge every task's candidates, and leave a bundle behind."""

import os
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout
from mlflow.exceptions import MlflowException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipeline import bundle as bundles
from pipeline import params as parameters
from pipeline import tasks as all_tasks
from pipeline.bundle import Bundle, Challenger, TaskResult
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.data.split import in_holdout
from pipeline.errors import PipelineError, UsageError
from pipeline.files import TEMPORARY_PREFIX, sha256_bytes
from pipeline.git import git
from pipeline.history.save import save
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.training import artifacts, behave, manifest, tracking
from pipeline.training.candidates import Candidate, Failure, Study, best, fit_all
from pipeline.training.estimators import BASELINE
from pipeline.training.predict import OnnxModel
from pipeline.training.tracking import Tracker

Results = list[Candidate | Failure]
# What the outcome of a training rests on.
WATCHED = ("pipeline", "params.yaml", "requirements")


def train(repo: Repo, tasks: list[str], out: Path) -> Bundle:
    """Train tasks (all of them if none is named) and put the bundle at `out`.

    An older bundle there is replaced when the new one is whole. Nothing else in the checkout is
    touched but `build/`.

    Raises:
        UsageError: a task or a key is unknown, or `out` is a folder that is no bundle.
        PipelineError: the data cannot be had or are not valid, or the tracking store fails.
    """
    settings = parameters.load(repo)
    chosen = [_task(name, settings) for name in tasks or settings.tasks]
    out = out.resolve()
    if out.exists() and not (out / bundles.FILE).is_file() and any(out.iterdir()):
        raise UsageError(f"{out} holds something else than a bundle: name another folder.")
    out.parent.mkdir(parents=True, exist_ok=True)
    repo.build.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(repo.build / "train.lock", timeout=0):
            return _locked(repo, chosen, settings, out)
    except Timeout as error:
        raise UsageError(f"{repo.root} is training already: wait until it has ended.") from error
    except MlflowException as error:
        where = os.environ.get("MLFLOW_TRACKING_URI", "the tracking store in build/tracking")
        raise PipelineError(f"{where}: {str(error).splitlines()[0]}") from error


def _task(name: str, settings: Params) -> Task:
    task = all_tasks.load(name)
    if name not in settings.tasks:
        raise UsageError(f"params.yaml: tasks.{name}: is missing; give the task a section.")
    return task


def _locked(repo: Repo, chosen: list[Task], settings: Params, out: Path) -> Bundle:
    """Make the bundle aside, then put it in its place."""
    for left in out.parent.glob(f"{TEMPORARY_PREFIX}bundle-*"):
        shutil.rmtree(left)  # by a training that was killed; there is but one at a time
    folder = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}bundle-", dir=out.parent))
    folder.chmod(0o755)
    try:
        bundle = _fill(repo, chosen, settings, folder)
        if out.exists():
            out.rename(folder.with_name(f"{folder.name}-old"))
        folder.rename(out)
    finally:
        for left in out.parent.glob(f"{folder.name}*"):
            shutil.rmtree(left)
    return bundle


def _fill(repo: Repo, chosen: list[Task], settings: Params, folder: Path) -> Bundle:
    dirty = git(repo.root, "status", "--porcelain", "--no-renames", "--", *WATCHED).splitlines()
    trainings = [
        Training(repo, task, settings, folder, [line[3:] for line in dirty]) for task in chosen
    ]
    done = {training.task.name: training.run() for training in trainings}
    bundle = Bundle(
        format=1,
        commit=git(repo.root, "rev-parse", "HEAD"),
        dirty=[line[3:] for line in dirty],
        created=int(time.time() * 1000),
        tasks=done,
    )
    bundles.write(folder, bundle)
    Console().print(summary(trainings))
    return bundle


class Training:
    """One task's training into a bundle's folder."""

    def __init__(
        self, repo: Repo, task: Task, settings: Params, folder: Path, dirty: list[str]
    ) -> None:
        self.repo, self.task, self.folder, self.dirty = repo, task, folder, dirty
        self.settings, self.section = settings, settings.tasks[task.name]
        self.console = Console(stderr=True)
        self.results: Results = []
        self.winner: Candidate | None = None

    def run(self) -> TaskResult:
        """Fetch, split, fit, judge and record; return what the bundle says of the task."""
        task, section, began = self.task, self.section, time.time()
        fetched = data.fetch(task, self.repo, self.console)
        held = in_holdout(task, fetched.table, self.settings.holdout_share)
        features = [feature for feature in task.features if feature.name not in section.exclude]
        train, holdout = fetched.table[~held], fetched.table[held]
        study = Study(task, features, train, holdout, section.folds, self.settings.seed)
        tables.write(data.snapshot_path(self.folder / "holdout", task), holdout)
        if fetched.snapshot:
            tables.write(data.snapshot_path(self.folder / "data", task), fetched.table)

        tracker, tags = Tracker.open(self.repo, task), tracking.common_tags(self.repo)
        more = tracking.parent_tags(self.repo, fetched, self.dirty)
        commit = tags["mlflow.source.git.commit"]
        parent = tracker.start(f"{task.name} {commit[:7]}", tags | more, began)
        tracker.log_dataset(parent, task, fetched)
        runs = self._candidates(tracker, study, tags | {"mlflow.parentRunId": parent}, fetched)
        self.winner = best(task, self.results)
        challenger = None
        if self.winner:
            run = runs[self.winner.algorithm]
            challenger = self._challenger(tracker, study, self.winner, run, fetched)
        self._end(tracker, study, parent)
        save(tracker.uri, [parent, *runs.values()], self.folder / "mlruns")
        return TaskResult(
            parent_run=parent,
            run_ids=[parent, *runs.values()],
            data_digest=fetched.digest,
            challenger=challenger,
        )

    def _candidates(
        self, tracker: Tracker, study: Study, tags: dict[str, str], fetched: data.Fetched
    ) -> dict[str, str]:
        """Fit all candidates, record each as a nested run, and return the runs' ids."""
        runs, columns = {}, (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        quiet = not self.console.is_terminal
        with Progress(
            *columns, TimeElapsedColumn(), console=self.console, disable=quiet
        ) as progress:
            bar = progress.add_task(
                f"Training {self.task.name}", total=len(self.section.candidates)
            )
            began = time.time()
            for result in fit_all(study, self.section.candidates):
                run = runs[result.algorithm] = tracker.start(result.algorithm, tags, began)
                tracker.log_dataset(run, self.task, fetched)
                self._record(tracker, study, run, result)
                self.results.append(result)
                progress.advance(bar)
                began = time.time()
        return runs

    def _record(
        self, tracker: Tracker, study: Study, run: str, result: Candidate | Failure
    ) -> None:
        params = {"algorithm": result.algorithm, **result.parameters}
        if isinstance(result, Failure):
            tracker.log(run, params, {})
            tracker.end(run, {"failure": result.reason}, failed=True)
            return
        tracker.log(
            run,
            params,
            numbers(self.task, result)
            | {
                f"fold_{self.task.metric.name}": result.folds,
                "fit_seconds": round(result.fit_seconds, 3),
                "latency_ms": round(OnnxModel(result.onnx).latency_ms(study.holdout), 4),
                "model_bytes": len(result.onnx),
                "parity_mismatches": result.parity.mismatches,
                "parity_largest_difference": result.parity.largest_difference,
            },
        )
        tracker.log_artifacts(run, artifacts.draw(study, result))
        tracker.end(run, {})

    def _challenger(
        self, tracker: Tracker, study: Study, winner: Candidate, run: str, fetched: data.Fetched
    ) -> Challenger:
        """Log the winner's model and return the evidence for the gate."""
        task, model = self.task, OnnxModel(winner.onnx)
        model_id = tracker.create_model(run, task)
        baseline = next(
            (r for r in self.results if isinstance(r, Candidate) and r.algorithm == BASELINE), None
        )
        text = manifest.render(study, winner, baseline, model_id, fetched)
        signature = tracking.signature(task, study.features)
        tracker.log_model(run, model_id, winner.onnx, signature, text)
        return Challenger(
            run_id=run,
            model_id=model_id,
            algorithm=winner.algorithm,
            sha256=sha256_bytes(winner.onnx),
            size=len(winner.onnx),
            latency_ms=round(model.latency_ms(study.holdout), 4),
            parity=winner.parity,
            behaviours=behave.check(task, model),
            holdout=winner.holdout,
            cross_validation=winner.cross_validation,
        )

    def _end(self, tracker: Tracker, study: Study, parent: str) -> None:
        params = {
            "seed": study.seed,
            "folds": study.folds,
            "holdout_share": self.settings.holdout_share,
            "exclude": ", ".join(self.section.exclude) or "none",
            "challenger": self.winner.algorithm if self.winner else "none",
        }
        rows = {"rows_train": len(study.train), "rows_holdout": len(study.holdout)}
        tracker.log(parent, params, rows | (numbers(self.task, self.winner) if self.winner else {}))
        failures = [r for r in self.results if isinstance(r, Failure)]
        reason = "; ".join(f"{failure.algorithm}: {failure.reason}" for failure in failures)
        tracker.end(parent, {"failure": reason} if reason else {}, failed=self.winner is None)


def numbers(task: Task, candidate: Candidate) -> dict[str, float]:
    """Return a candidate's metrics as MLflow is told them: `cv_…` and `holdout_…`."""
    cv = {f"cv_{name}": value for name, value in candidate.cross_validation.items()}
    return cv | {f"holdout_{name}": value for name, value in candidate.holdout.items()}


def summary(trainings: list[Training]) -> Table:
    """Return the table that ends a training: every candidate in one line."""
    table = Table(title="Candidates (challenger: best in cross-validation)")
    for heading in ("task", "candidate", "metric", "cross-validation", "hold-out", "ONNX", ""):
        table.add_column(heading, justify="right" if heading in ("hold-out", "ONNX") else "left")
    for training in trainings:
        name = training.task.metric.name
        for result in training.results:
            if isinstance(result, Failure):
                table.add_row(
                    training.task.name,
                    result.algorithm,
                    name,
                    "",
                    "",
                    "",
                    f"[red]failed: {result.reason}",
                )
                continue
            cv = result.cross_validation
            table.add_row(
                training.task.name,
                result.algorithm,
                name,
                f"{cv[f'{name}_mean']:.4f} ± {cv[f'{name}_std']:.4f}",
                f"{result.holdout[name]:.4f}",
                f"{len(result.onnx) / 1000:,.0f} kB",
                "challenger" if result is training.winner else "",
            )
    return table
