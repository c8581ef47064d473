"""A run of the history whose model can be fitted again."""

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import PipelineError, UsageError
from core.file_names import MODEL
from history import layout, registry, runfile
from history.runfile import Run
from pipeline.data.derived import DerivedFeature
from pipeline.params import Parameters
from pipeline.repo import Repo
from pipeline.schema import Feature, Task

ALGORITHM = "algorithm"
# The params and tags of the parent run that its candidates can be fitted again from.
REQUIRED = {
    "seed",
    "holdout_share",
    "exclude",
    "digest.data",
    "mlflow.source.git.commit",
}


@dataclass(frozen=True)
class PastRun:
    """The run of a candidate and the run of its training.

    Attributes:
        run: the candidate's run.
        parent: the parent run, with the settings of the training.
        folder: the folder of the candidate's run.
    """

    run: Run
    parent: Run
    folder: Path

    @property
    def algorithm(self) -> str:
        """The candidate's algorithm."""
        return self.run.params[ALGORITHM]

    @property
    def seed(self) -> int:
        """The seed of the training."""
        return int(self.parent.params["seed"])

    @property
    def holdout_share(self) -> float:
        """The share of the rows that were held out."""
        return float(self.parent.params["holdout_share"])

    @property
    def data_digest(self) -> str:
        """The digest of the table."""
        return self.parent.tags["digest.data"]

    @property
    def commit(self) -> str:
        """The commit that the training ran at."""
        return self.parent.tags["mlflow.source.git.commit"]

    @property
    def parameters(self) -> Parameters:
        """The hyperparameters, which MLflow keeps as text."""
        values: dict[str, Any] = {}
        for key, text in self.run.params.items():
            try:
                values[key] = ast.literal_eval(text)
            except (SyntaxError, ValueError):  # a word, such as a solver's name
                values[key] = text
        del values[ALGORITHM]
        return values

    @property
    def holdout_metrics(self) -> dict[str, float | None]:
        """The metrics on the hold-out, by their names in MLflow."""
        metrics = {}
        for name in self.run.metrics:
            if name.startswith("holdout_"):
                metrics[name] = self.run.latest(name)
        return metrics

    @property
    def onnx_file(self) -> Path | None:
        """The ONNX file of the run; None if the history does not keep it."""
        models = self.folder / layout.MODELS
        for logged in self.run.models:
            path = models / logged.model_id / MODEL
            if path.is_file():
                return path
        return None

    def features(self, task: Task) -> list[Feature]:
        """Return the features that the candidate was fitted on."""
        excluded = self.parent.params["exclude"].split(", ")
        features = []
        for feature in task.features:
            if feature.name not in excluded:
                features.append(feature)
        return features

    def derived(self, task: Task) -> list[DerivedFeature]:
        """Return the features that the candidate computes from others.

        Raises:
            PipelineError: the task has no such feature any more.
        """
        recorded = self.parent.params.get("derived")
        if not recorded:
            return []
        by_name = {feature.name: feature for feature in task.derived_features}
        features = []
        for name in recorded.split(", "):
            if name not in by_name:
                raise PipelineError(
                    f"the run {self.run.run_id} has the derived feature {name}, which"
                    f" the task {task.name} no longer defines: check out the commit"
                    f" {self.commit[:12]} to make its models again."
                )
            features.append(by_name[name])
        return features


def find(repo: Repo, task: Task, algorithm: str | None) -> PastRun:
    """Return the champion's run, or the best run of an algorithm.

    Raises:
        UsageError: there is no champion, or no run of the algorithm.
        PipelineError: the run is not a candidate of `pipeline train`.
    """
    folders = layout.run_folders(repo.mlruns)
    if algorithm is None:
        run_id = _champions_run(repo, task)
    else:
        run_id = _best_run(task, algorithm, folders)
    folder = folders[run_id]
    run = _load(folder)
    return of(run, _parent(run, folders), folder)


def _champions_run(repo: Repo, task: Task) -> str:
    """Return the ID of the champion's run."""
    champion = registry.champion(repo.mlruns, task.name)
    if champion is None:
        raise UsageError(
            f"{task.name} has no champion yet: name an algorithm by --algorithm."
        )
    return champion.run_id


def _load(folder: Path) -> Run:
    return runfile.load(folder / layout.RUN_FILE)


def _best_run(task: Task, algorithm: str, folders: dict[str, Path]) -> str:
    """Return the ID of the run of an algorithm with the best cross-validation."""
    metric = f"cv_{task.metric.name}_mean"
    sign = 1 if task.metric.higher_is_better else -1
    candidates = _candidates(task, metric, folders)
    if algorithm not in candidates:
        choice = ", ".join(sorted(candidates)) or "none"
        raise UsageError(
            f"{task.name} has no run of {algorithm!r}; its algorithms are: {choice}."
        )

    def quality(run: Run) -> tuple[float, int, str]:
        value = run.latest(metric) or 0.0
        return sign * value, run.started, run.run_id

    best = max(candidates[algorithm], key=quality)
    return best.run_id


def _candidates(
    task: Task, metric: str, folders: dict[str, Path]
) -> dict[str, list[Run]]:
    """Return the runs of a task's candidates that have a metric, by algorithm."""
    candidates: dict[str, list[Run]] = {}
    for folder in folders.values():
        run = _load(folder)
        is_nested = run.experiment == task.name and run.parent in folders
        algorithm = run.params.get(ALGORITHM)
        if is_nested and algorithm and metric in run.metrics:
            runs = candidates.setdefault(algorithm, [])
            runs.append(run)
    return candidates


def _parent(run: Run, folders: dict[str, Path]) -> Run | None:
    """Return the run that a candidate's run is a child of."""
    folder = folders.get(run.parent or "")
    return _load(folder) if folder else None


def of(run: Run, parent: Run | None, folder: Path) -> PastRun:
    """Return a candidate's run with the run of its training.

    Args:
        run: the candidate's run.
        parent: the run of the training; None if there is none.
        folder: the folder of the candidate's run.

    Raises:
        PipelineError: the run is not a candidate of `pipeline train`.
    """
    if parent:
        recorded = set(parent.params).union(parent.tags)
        if ALGORITHM in run.params and recorded.issuperset(REQUIRED):
            return PastRun(run, parent, folder)
    raise PipelineError(
        f"the run {run.run_id} cannot be made again: it is not a candidate of `pipeline"
        " train`, whose run has the seed, the data and the rows that were held out."
    )
