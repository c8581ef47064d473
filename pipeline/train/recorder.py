"""What a task's training logs: the parent run, and one nested run for each candidate."""

from typing import Any

from history.mlflow_rows import PARENT_TAG
from pipeline.data.fetch import Dataset
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.train.artifacts import Drawing
from pipeline.train.candidates import Candidate, Failure
from pipeline.train.run_tags import common_tags, parent_tags
from pipeline.train.tracking import Tracker
from pipeline.train.training_data import TrainingData


class Recorder:
    """The runs of one task's training.

    Attributes:
        tracker: the tracking store.
        parent: the ID of the parent run.
        runs: the IDs of the nested runs, by algorithm.
    """

    def __init__(
        self,
        repo: Repo,
        data: TrainingData,
        dataset: Dataset,
        dirty: list[str],
        began: float,
    ) -> None:
        """Start the parent run.

        Args:
            repo: the checkout.
            data: the data and settings of all candidates.
            dataset: the whole table.
            dirty: the files that no commit holds as they are.
            began: when the training began, in seconds since the epoch.
        """
        self.tracker = Tracker(repo, data.task, dataset)
        self.runs: dict[str, str] = {}
        self._data = data
        tags = common_tags(repo)
        commit = tags["mlflow.source.git.commit"]
        name = f"{data.task.name} {commit[:7]}"
        own_tags = parent_tags(repo, dataset, dirty)
        self.parent = self.tracker.start(name, tags | own_tags, began)
        self._tags = tags | {PARENT_TAG: self.parent}

    def record(
        self,
        candidate: Candidate,
        began: float,
        drawing: Drawing,
    ) -> None:
        """Log a candidate as a nested run.

        Args:
            candidate: the candidate.
            began: when its training began, in seconds since the epoch.
            drawing: its artifacts.
        """
        run = self._start(candidate, began)
        self.tracker.log(run, _parameters(candidate), self._metrics(candidate))
        self.tracker.log_artifacts(run, drawing.files)
        tags = {}
        if drawing.missing:
            tags["missing_artifacts"] = drawing.reasons
        self.tracker.end(run, tags)

    def record_failure(self, failure: Failure, began: float) -> None:
        """Log a candidate that failed as a nested run that failed."""
        run = self._start(failure, began)
        self.tracker.log(run, _parameters(failure), {})
        self.tracker.end(run, {"failure": failure.reason}, failed=True)

    def _start(self, result: Candidate | Failure, began: float) -> str:
        run = self.tracker.start(result.algorithm, self._tags, began)
        self.runs[result.algorithm] = run
        return run

    def end(
        self,
        settings: Params,
        results: list[Candidate | Failure],
        winner: Candidate | None,
    ) -> None:
        """End the parent run with the settings, the winner's metrics and the failures."""
        data = self._data
        section = settings.tasks[data.task.name]
        excluded = ", ".join(section.exclude)
        params = {
            "seed": data.seed,
            "folds": data.folds,
            "holdout_share": settings.holdout_share,
            "exclude": excluded or "none",
            "challenger": winner.algorithm if winner else "none",
        }
        if data.derived:
            params["derived"] = ", ".join(feature.name for feature in data.derived)
        metrics: dict[str, float | list[float]] = {
            "rows_train": len(data.train),
            "rows_holdout": len(data.holdout),
        }
        if winner:
            metrics |= winner.metrics
        self.tracker.log(self.parent, params, metrics)
        failures = [entry for entry in results if isinstance(entry, Failure)]
        tags = {}
        if failures:
            reasons = [f"{entry.algorithm}: {entry.reason}" for entry in failures]
            tags["failure"] = "; ".join(reasons)
        self.tracker.end(self.parent, tags, failed=winner is None)

    def _metrics(self, candidate: Candidate) -> dict[str, Any]:
        parity = candidate.parity
        return candidate.metrics | {
            f"fold_{self._data.task.metric.name}": candidate.folds,
            "fit_seconds": round(candidate.fit_seconds, 2),
            "latency_ms": candidate.latency_ms,
            "model_bytes": len(candidate.onnx),
            "parity_mismatches": parity.mismatches,
            "parity_largest_difference": parity.largest_difference,
        }


def _parameters(result: Candidate | Failure) -> dict[str, Any]:
    """Return what a nested run logs as its parameters."""
    return {"algorithm": result.algorithm} | result.parameters
