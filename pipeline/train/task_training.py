"""The training of one task: fetch, split, fit, evaluate, and record it as MLflow runs."""

import time
from pathlib import Path

from rich.console import Console

from core import tracing
from core.onnx_model import OnnxModel
from pipeline.bundle import Challenger, TaskResult
from pipeline.data import fetch as source
from pipeline.data.fetch import Dataset
from pipeline.params import Parameters, Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import artifacts, behavioural_tests, manifest
from pipeline.train.backend import Backend
from pipeline.train.bundle_parts import import_recorded, keep_rows, log_challenger
from pipeline.train.candidates import Candidate, Failure, best
from pipeline.train.fitting import fit
from pipeline.train.recorder import Recorder
from pipeline.train.row_limits import within_limits
from pipeline.train.split import split, training_data, used_names
from pipeline.train.training_data import TrainingData


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
        import_recorded(self.repo, self.folder, recorder.tracker.uri, run_ids)
        return TaskResult(
            parent_run=recorder.parent,
            run_ids=run_ids,
            data_digest=dataset.digest,
            challenger=challenger,
        )

    def _split(self, dataset: Dataset) -> TrainingData:
        """Split the table, and put into the bundle what is to be kept of it."""
        task = self.task
        parts = split(task, dataset.table, self.settings.holdout_share)
        keep_rows(self.folder, task, dataset, parts.holdout)
        names = used_names(task, self.settings)
        return training_data(task, parts, names, self.settings)

    def _fit(
        self,
        data: TrainingData,
        candidates: dict[str, Parameters],
        recorder: Recorder,
    ) -> None:
        """Fit all candidates and record each as soon as it is evaluated."""
        console = Console(stderr=True)
        for result, began in fit(data, candidates, self.cluster, console):
            if isinstance(result, Failure):
                recorder.record_failure(result, began)
            else:
                drawing = artifacts.draw(data, result)
                drawing.report_missing(console, self.task.name, result.algorithm)
                recorder.record(result, began, drawing)
            self.results.append(result)

    def _challenger(
        self,
        winner: Candidate,
        data: TrainingData,
        dataset: Dataset,
        recorder: Recorder,
    ) -> Challenger:
        """Log the winner's model and return the evidence for the gate."""
        filled = manifest.fill(data, winner, self.results, dataset)
        behaviours = behavioural_tests.run(self.task, OnnxModel(winner.onnx))
        return log_challenger(recorder, winner, filled.render(), behaviours)
