"""One task's training: fetch, split, fit, judge, and record all of it as MLflow runs."""

import shutil
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from core import tracing
from core.onnx_model import OnnxModel
from history import History, Project, import_runs, layout
from history.mlflow_rows import PARENT_TAG
from pipeline.bundle import Challenger, Judged, TaskResult
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import artifacts, behavioural_tests, manifest
from pipeline.train.candidates import Candidate, Failure, Study, best, fit_all
from pipeline.train.tracking import Tracker, common_tags, parent_tags


class TaskTraining:
    """The training of one task into a bundle's folder; `results` fills while it runs."""

    def __init__(
        self,
        repo: Repo,
        task: Task,
        settings: Params,
        folder: Path,
        dirty: list[str],
        fresh: bool,
    ) -> None:
        self.repo, self.task, self.folder = repo, task, folder
        self.dirty, self.fresh = dirty, fresh
        self.settings, self.section = settings, settings.tasks[task.name]
        self.console = Console(stderr=True)
        self.results: list[Candidate | Failure] = []
        self.winner: Candidate | None = None

    def run(self) -> TaskResult:
        """Do all of it and return what the bundle says of the task."""
        began = time.time()
        with tracing.span("fetch data", {"task": self.task.name}):
            fetched = data.fetch(self.task, self.repo, self.fresh)
        study = self._study(fetched)
        tracker = Tracker(self.repo, self.task, fetched)
        tags = common_tags(self.repo)
        name = f"{self.task.name} {tags['mlflow.source.git.commit'][:7]}"
        parent = tracker.start(
            name, tags | parent_tags(self.repo, fetched, self.dirty), began
        )
        with tracing.span(
            "fit candidates", {"task": self.task.name}, len(fetched.table)
        ):
            runs = self._candidates(tracker, study, tags | {PARENT_TAG: parent})
        challenger = None
        if winner := best(self.task, self.results):
            text = manifest.fill(study, winner, self.results, fetched).render()
            run_id, model = runs[winner.algorithm], OnnxModel(winner.onnx)
            challenger = Challenger(
                run_id=run_id,
                model_id=tracker.log_model(run_id, winner.onnx, text),
                sha256=model.sha256,
                size=model.size,
                behaviours=behavioural_tests.check(self.task, model),
                **winner.model_dump(include={*Judged.model_fields}),
            )
        self.winner = winner
        self._end(tracker, study, parent)
        run_ids = [parent, *runs.values()]
        project = Project(source_root=self.repo.root)
        with History.open(self.folder / "mlruns", project) as history:
            import_runs(tracker.uri, history, run_ids)
        shutil.rmtree(self.folder / "mlruns" / layout.LOCAL, ignore_errors=True)
        return TaskResult(
            parent_run=parent,
            run_ids=run_ids,
            data_digest=fetched.digest,
            challenger=challenger,
        )

    def _study(self, fetched: data.Dataset) -> Study:
        """Split the table, and put into the bundle what is to be kept of it."""
        task, section = self.task, self.section
        held = tables.in_holdout(task, fetched.table, self.settings.holdout_share)
        train, holdout = fetched.table[~held], fetched.table[held]
        tables.write(data.snapshot_path(self.folder / "holdout", task), holdout)
        if fetched.snapshot:
            tables.write(data.snapshot_path(self.folder / "data", task), fetched.table)
        features = [
            feature for feature in task.features if feature.name not in section.exclude
        ]
        return Study(task, features, train, holdout, section.folds, self.settings.seed)

    def _candidates(
        self, tracker: Tracker, study: Study, tags: dict[str, str]
    ) -> dict[str, str]:
        """Fit all candidates, record each as a nested run, and return the runs' ids."""
        runs, wanted, began = {}, self.section.candidates, time.time()
        bar: dict[str, Any] = {
            "console": self.console,
            "disable": not self.console.is_terminal,
        }
        title = f"Training {self.task.name}"
        for result in track(
            fit_all(study, wanted), title, len(wanted), transient=True, **bar
        ):
            run = runs[result.algorithm] = tracker.start(result.algorithm, tags, began)
            self._record(tracker, study, run, result)
            self.results.append(result)
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
        more: dict[str, float | list[float]] = {
            f"fold_{self.task.metric.name}": result.folds,
            "fit_seconds": round(result.fit_seconds, 2),
            "latency_ms": result.latency_ms,
            "model_bytes": len(result.onnx),
            "parity_mismatches": result.parity.mismatches,
            "parity_largest_difference": result.parity.largest_difference,
        }
        tracker.log(run, params, result.metrics | more)
        files, failed = artifacts.draw(study, result)
        tracker.log_artifacts(run, files)
        tracker.end(run, self._warn(result, failed))

    def _warn(self, candidate: Candidate, failed: dict[str, str]) -> dict[str, str]:
        """Say which artifacts could not be made, and return the tag that says so in the
        run.
        """
        if not failed:
            return {}
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        sentence = f"{self.task.name}, {candidate.algorithm}: kept without {reasons}"
        self.console.print(sentence, markup=False, emoji=False, soft_wrap=True)
        return {"missing_artifacts": reasons}

    def _end(self, tracker: Tracker, study: Study, parent: str) -> None:
        """Give the parent run the settings, the winner's metrics and the failures."""
        params = {
            "seed": study.seed,
            "folds": study.folds,
            "holdout_share": self.settings.holdout_share,
            "exclude": ", ".join(self.section.exclude) or "none",
            "challenger": self.winner.algorithm if self.winner else "none",
        }
        metrics = self.winner.metrics if self.winner else {}
        rows = {"rows_train": len(study.train), "rows_holdout": len(study.holdout)}
        tracker.log(parent, params, {**rows, **metrics})
        failures = [
            f"{r.algorithm}: {r.reason}" for r in self.results if isinstance(r, Failure)
        ]
        tags = {"failure": "; ".join(failures)} if failures else {}
        tracker.end(parent, tags, failed=self.winner is None)
