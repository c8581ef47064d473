"""The training of one task: fetch, split, fit, evaluate, and record it as MLflow runs."""

import shutil
import time
from pathlib import Path

from rich.console import Console

from core import tracing
from core.onnx_model import OnnxModel
from history import History, Project, import_runs, layout
from pipeline.bundle import Challenger, TaskResult
from pipeline.data import derived
from pipeline.data import fetch as source
from pipeline.data import table as tables
from pipeline.data.fetch import Dataset
from pipeline.params import Parameters, Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import behavioural_tests, manifest, units
from pipeline.train.backend import Backend
from pipeline.train.candidates import Candidate, Failure, best, fit_all
from pipeline.train.recorder import Recorder
from pipeline.train.row_limits import within_limits
from pipeline.train.training_data import TrainingData
from pipeline.train.unit_progress import UnitProgress


class TaskTraining:
    """The training of one task into a bundle's folder.

    Attributes:
        task: the task.
        results: the candidates so far, in the order of `params.yaml`.
        winner: the best of them, once all are evaluated; None if all failed.
    """

    def __init__(
        self,
        repo: Repo,
        task: Task,
        settings: Params,
        folder: Path,
        dirty: list[str],
        refresh: bool,
        cluster: Backend | None = None,
    ) -> None:
        """Prepare a training.

        Args:
            repo: the checkout.
            task: the task.
            settings: `params.yaml`.
            folder: the bundle's folder.
            dirty: the files that no commit holds as they are.
            refresh: whether to read the data's sources and not the snapshot.
            cluster: where the candidates are fitted; by default on this machine.
        """
        self.repo = repo
        self.task = task
        self.settings = settings
        self.folder = folder
        self.dirty = dirty
        self.refresh = refresh
        self.cluster = cluster
        self.results: list[Candidate | Failure] = []
        self.winner: Candidate | None = None

    def run(self) -> TaskResult:
        """Train the task and return its entry in the bundle.

        Raises:
            Unavailable: no source has the data.
            PipelineError: the data are not valid, there are too few rows, or too many
                for every candidate.
        """
        began = time.time()
        name = self.task.name
        with tracing.span("fetch data", {"task": name}):
            dataset = source.fetch(self.task, self.repo, self.refresh)
        data = self._split(dataset)
        section = self.settings.tasks[name]
        candidates = within_limits(name, section, len(data.train))
        recorder = Recorder(
            self.repo,
            data,
            dataset,
            dirty=self.dirty,
            began=began,
        )
        with tracing.span("fit candidates", {"task": name}, len(dataset.table)):
            self._fit(data, candidates, recorder)
        self.winner = best(self.task, self.results)
        challenger = None
        if self.winner:
            challenger = self._challenger(self.winner, data, dataset, recorder)
        recorder.end(self.settings, self.results, self.winner)
        run_ids = [recorder.parent, *recorder.runs.values()]
        self._import(recorder.tracker.uri, run_ids)
        return TaskResult(
            parent_run=recorder.parent,
            run_ids=run_ids,
            data_digest=dataset.digest,
            challenger=challenger,
        )

    def _split(self, dataset: Dataset) -> TrainingData:
        """Split the table, and put into the bundle what is to be kept of it."""
        task = self.task
        section = self.settings.tasks[task.name]
        table = dataset.table
        held = tables.in_holdout(task, table, self.settings.holdout_share)
        holdout = table[held]
        path = source.snapshot_path(self.folder / "holdout", task)
        tables.write(path, holdout)
        if dataset.snapshot:
            path = source.snapshot_path(self.folder / "data", task)
            tables.write(path, table)
        features = [f for f in task.features if f.name not in section.exclude]
        sample = None
        if section.holdout_sample:
            sample = tables.sample(task, holdout, section.holdout_sample)
        return TrainingData(
            task=task,
            features=features,
            train=table[~held],
            holdout=holdout,
            folds=section.folds,
            seed=self.settings.seed,
            derived=derived.without(task.derived_features, section.exclude),
            sample=sample,
        )

    def _fit(
        self,
        data: TrainingData,
        candidates: dict[str, Parameters],
        recorder: Recorder,
    ) -> None:
        """Fit all candidates and record each as soon as it is evaluated."""
        console = Console(stderr=True)
        progress = UnitProgress(
            console,
            self.task.name,
            len(units.units_of(candidates, data.folds)),
            has_cluster=self.cluster is not None,
        )
        began = time.time()
        with progress:
            results = fit_all(data, candidates, self.cluster, progress.advance)
            for result in results:
                recorder.record(result, began, console)
                self.results.append(result)
                began = time.time()

    def _challenger(
        self,
        winner: Candidate,
        data: TrainingData,
        dataset: Dataset,
        recorder: Recorder,
    ) -> Challenger:
        """Log the winner's model and return the evidence for the gate."""
        filled = manifest.fill(data, winner, self.results, dataset)
        content = filled.render()
        run_id = recorder.runs[winner.algorithm]
        model = OnnxModel(winner.onnx)
        return Challenger(
            run_id=run_id,
            model_id=recorder.tracker.log_model(run_id, winner.onnx, content),
            sha256=model.sha256,
            size=model.size,
            behaviours=behavioural_tests.run(self.task, model),
            algorithm=winner.algorithm,
            latency_ms=winner.latency_ms,
            parity=winner.parity,
            holdout=winner.holdout,
            cross_validation=winner.cross_validation,
        )

    def _import(self, uri: str, run_ids: list[str]) -> None:
        """Import the runs into the bundle's history."""
        mlruns = self.folder / "mlruns"
        project = Project(source_root=self.repo.root)
        with History.open(mlruns, project) as history:
            import_runs(uri, history, run_ids)
        shutil.rmtree(mlruns / layout.LOCAL, ignore_errors=True)
