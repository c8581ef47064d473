"""The runs of a search: one parent, and a nested run for each trial.

The tracking store has every trial, as soon as it has ended: a search that is killed is
resumed from there. The history gets the parent, whose file `trials.json` has all trials
of the study, and the best of them as nested runs.
"""

import json
import time
from typing import Any

from core.files import to_json
from history import History, Project, import_runs, layout, runfile
from history.mlflow_rows import PARENT_TAG
from pipeline.data.fetch import Dataset
from pipeline.repo import Repo
from pipeline.search.study import SearchStudy
from pipeline.search.trial import FAILED, Trial
from pipeline.train.run_tags import common_tags, parent_tags
from pipeline.train.tracking import Tracker
from pipeline.train.training_data import TrainingData

STUDY_TAG = "search.study"
TRIAL_TAG = "search.trial"
FILE = "trials.json"
# Nested runs of a search in the history, so that Git does not grow with every trial.
KEPT = 10


class SearchRecorder:
    """The runs of the search of one algorithm."""

    def __init__(
        self, repo: Repo, data: TrainingData, dataset: Dataset, algorithm: str, key: str
    ) -> None:
        """Open the tracking store.

        Args:
            repo: the checkout.
            data: the rows and folds of all trials.
            dataset: the whole table.
            algorithm: the algorithm of the study.
            key: the digest of all that the results of a trial depend on.
        """
        self._repo = repo
        self._data = data
        self._dataset = dataset
        self._algorithm = algorithm
        self._key = key
        self._experiment = f"{data.task.name}-search"
        self._tracker = Tracker(repo, data.task, dataset, self._experiment)
        self._tags = common_tags(repo) | {STUDY_TAG: key}
        self._runs: dict[int, str] = {}
        self._parent = ""

    def earlier(self) -> list[Trial]:
        """Return the trials of the study so far, from the history and the store."""
        by_number: dict[int, Trial] = {}
        for entry in self._in_store() + self._in_history():
            trial = Trial.model_validate(entry)
            by_number[trial.number] = trial
        trials: list[Trial] = []
        while len(trials) in by_number:
            trials.append(by_number[len(trials)])
        return trials

    def start(self, dirty: list[str], began: float) -> None:
        """Start the parent run."""
        commit = self._tags["mlflow.source.git.commit"]
        name = f"search {self._algorithm} {commit[:7]}"
        own = parent_tags(self._repo, self._dataset, dirty)
        tags = self._tags | own
        self._parent = self._tracker.start(name, tags, began)

    def record(self, trial: Trial) -> None:
        """Log a trial that has ended as a nested run."""
        own_tags = {
            PARENT_TAG: self._parent,
            TRIAL_TAG: trial.model_dump_json(),
        }
        tags = self._tags | own_tags
        name = f"trial {trial.number}"
        began = time.time() - trial.seconds
        run = self._tracker.start(name, tags, began)
        metric = self._data.task.metric.name
        metrics: dict[str, Any] = {}
        if trial.folds:
            metrics = {
                f"cv_{metric}_mean": trial.mean,
                f"fold_{metric}": trial.folds,
            }
        params = {"algorithm": self._algorithm} | trial.parameters
        self._tracker.log(run, params, metrics)
        own: dict[str, str] = {"search.state": trial.state}
        if trial.failure:
            own["failure"] = trial.failure
        self._tracker.end(run, own, failed=trial.state == FAILED)
        self._runs[trial.number] = run

    def end(self, study: SearchStudy) -> None:
        """End the parent run, and import it with the best trials into the history."""
        best = study.by_quality()[:KEPT]
        for trial in best:
            if trial.number not in self._runs:
                self.record(trial)  # of a search that was interrupted
        self._log_parent(study)
        kept = [self._runs[trial.number] for trial in best]
        for run in self._runs.values():
            if run not in kept:
                # The children of a run are imported with it.
                self._tracker.client.delete_tag(run, PARENT_TAG)
        run_ids = [self._parent, *kept]
        project = Project(source_root=self._repo.root)
        with History.open(self._repo.mlruns, project) as history:
            import_runs(self._tracker.uri, history, run_ids)

    def _log_parent(self, study: SearchStudy) -> None:
        data = self._data
        params: dict[str, Any] = {
            "algorithm": self._algorithm,
            "seed": data.seed,
            "folds": data.folds,
        }
        metrics: dict[str, Any] = {"trials": len(study.trials)}
        if study.best:
            params |= study.best.parameters
            metric = data.task.metric.name
            metrics[f"cv_{metric}_mean"] = study.best.mean
        self._tracker.log(self._parent, params, metrics)
        trials = [trial.model_dump(mode="json") for trial in study.trials]
        text = to_json({"trials": trials})
        content = text.encode()
        self._tracker.log_artifacts(self._parent, {FILE: content})
        self._tracker.end(self._parent, {}, failed=study.best is None)

    def _in_store(self) -> list[Any]:
        runs = self._tracker.client.search_runs(
            [self._tracker.experiment],
            f"tags.`{STUDY_TAG}` = '{self._key}'",
            max_results=50_000,
        )
        texts = [run.data.tags.get(TRIAL_TAG, "") for run in runs]
        return [json.loads(text) for text in texts if text]

    def _in_history(self) -> list[Any]:
        trials: list[Any] = []
        folder = self._repo.mlruns / self._experiment
        paths = folder.glob(f"*/*/{layout.RUN_FILE}")
        for path in sorted(paths):
            run = runfile.load(path)
            if run.tags.get(STUDY_TAG) != self._key:
                continue
            artifact = path.parent / "artifacts" / FILE
            if artifact.is_file():
                content = json.loads(artifact.read_bytes())
                trials += content["trials"]
        return trials
