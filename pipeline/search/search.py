"""`pipeline search`: find hyperparameters by cross-validation on the training rows."""

import json
import time

from filelock import FileLock, Timeout
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import Progress

from core.counts import counted
from core.errors import PipelineError, UsageError
from core.files import sha256_bytes
from pipeline import tasks
from pipeline.cluster import settings as cluster_settings
from pipeline.data import fetch as source
from pipeline.params import Parameters, Params
from pipeline.repo import Repo
from pipeline.search.batches import run_batch
from pipeline.search.record import SearchRecorder
from pipeline.search.result import SearchResult
from pipeline.search.study import SearchStudy
from pipeline.search.trial import Trial
from pipeline.search_settings import Search, Space
from pipeline.train.backend import Backend, LocalBackend, open_cluster
from pipeline.train.changes import changes
from pipeline.train.settings import load as load_settings
from pipeline.train.split import split, training_data, used_names
from pipeline.train.training_data import TrainingData


def search(
    repo: Repo,
    name: str,
    algorithms: list[str],
    trials: int | None,
    minutes: float | None,
) -> list[SearchResult]:
    """Search the hyperparameters of a task's algorithms, one after the other.

    Args:
        repo: the checkout.
        name: the task.
        algorithms: those to search; all of `search` in `params.yaml` if there is none.
        trials: how many trials a study has in all, in place of `params.yaml`.
        minutes: the time of the whole search, in place of `params.yaml`.

    Raises:
        UsageError: `params.yaml` does not say what to search, or a training or a search
            of this checkout is running.
        PipelineError: every trial of a study failed, or the data cannot be had.
    """
    settings = load_settings(repo)
    chosen = _chosen(settings, name, algorithms, trials, minutes)
    repo.build.mkdir(parents=True, exist_ok=True)
    try:
        with (
            FileLock(repo.build / "train.lock", timeout=0),
            open_cluster(
                cluster_settings.address(), cluster_settings.tables()
            ) as nodes,
        ):
            return _Searching(repo, name, settings, chosen, nodes).run()
    except Timeout as error:
        raise UsageError(
            f"{repo.root} is training already: wait until it has ended."
        ) from error


def _chosen(
    settings: Params,
    name: str,
    algorithms: list[str],
    trials: int | None,
    minutes: float | None,
) -> Search:
    """Return the section `search` of a task with the options of the command.

    Raises:
        UsageError: there is no section, or it lacks an algorithm.
    """
    tasks.load(name)
    section = settings.tasks.get(name)
    path = f"params.yaml: tasks.{name}.search"
    if section is None or section.search is None:
        raise UsageError(
            f"{path}: is missing; give `space` a range for each parameter to search."
        )
    chosen = section.search
    for algorithm in algorithms:
        if algorithm not in chosen.space:
            choice = ", ".join(chosen.space)
            raise UsageError(f"{path}.space: has no {algorithm}; it has {choice}.")
    space = chosen.space
    if algorithms:
        space = {algorithm: space[algorithm] for algorithm in algorithms}
    update = {
        "space": space,
        "trials": trials or chosen.trials,
        "minutes": minutes or chosen.minutes,
    }
    return chosen.model_copy(update=update)


class _Searching:
    """One call of `search`."""

    def __init__(
        self,
        repo: Repo,
        name: str,
        settings: Params,
        chosen: Search,
        nodes: Backend | None,
    ) -> None:
        self._repo = repo
        self._task = tasks.load(name)
        self._settings = settings
        self._section = settings.tasks[name]
        self._search = chosen
        self._dataset = source.fetch(self._task, repo)
        self._data = self._split()
        self._backend = nodes or LocalBackend(len(self._data.train))
        self._dirty = changes(repo)
        self._end = time.monotonic() + 60 * chosen.minutes

    def run(self) -> list[SearchResult]:
        """Search the algorithms; each gets the same share of the time that is left."""
        results = []
        left = len(self._search.space)
        for algorithm, space in self._search.space.items():
            now = time.monotonic()
            end = now + (self._end - now) / left
            results.append(self._search_one(algorithm, space, end))
            left -= 1
        return results

    def _search_one(self, algorithm: str, space: Space, end: float) -> SearchResult:
        base = self._section.candidates.get(algorithm, {})
        task = self._task
        study = SearchStudy(
            space,
            base,
            self._search,
            task.metric.higher_is_better,
            self._data.seed,
        )
        recorder = SearchRecorder(
            self._repo,
            self._data,
            self._dataset,
            algorithm,
            self._key(algorithm, space, base),
        )
        for trial in recorder.earlier():
            study.add(trial)
        earlier = len(study.trials)
        began = time.time()
        if earlier < self._search.trials:
            recorder.start(self._dirty, began)
            self._run_batches(algorithm, study, recorder, end)
            recorder.end(study)
        if study.best is None:
            failures = [trial.failure for trial in study.trials if trial.failure]
            trials = counted(len(study.trials), "trial")
            raise PipelineError(
                f"{task.name}: none of {trials} of {algorithm} succeeded, the first"
                f" failed because of {failures[0]}: correct the space in params.yaml."
            )
        seconds = time.time() - began
        return SearchResult(algorithm, study.trials, study.best, seconds)

    def _run_batches(
        self, algorithm: str, study: SearchStudy, recorder: SearchRecorder, end: float
    ) -> None:
        """Compute batches until there are enough trials, or the time is over."""
        console = Console(stderr=True)
        total = self._search.trials
        with Progress(
            console=console, transient=True, disable=not console.is_terminal
        ) as progress:
            text = f"Searching {self._task.name}: {algorithm}"
            bar = progress.add_task(text, total=total, completed=len(study.trials))

            def report(trial: Trial) -> None:
                recorder.record(trial)
                progress.advance(bar)

            longest = 0.0
            while len(study.trials) < total:
                start = time.monotonic()
                if longest and start + longest > end:
                    break
                count = total - len(study.trials)
                run_batch(self._data, algorithm, study, count, self._backend, report)
                longest = max(longest, time.monotonic() - start)

    def _split(self) -> TrainingData:
        """Return the rows to train on; a study never sees those that are held out."""
        task = self._task
        settings = self._settings
        parts = split(task, self._dataset.table, settings.holdout_share)
        data = training_data(task, parts, used_names(task, settings), settings)
        data.split()  # it refuses too few rows
        return data

    def _key(self, algorithm: str, space: Space, base: Parameters) -> str:
        """Return the digest of all that the result of a trial depends on."""
        data = self._data
        spaces: TypeAdapter[Space] = TypeAdapter(Space)
        content = {
            "task": self._task.name,
            "data": self._dataset.digest,
            "holdout_share": self._settings.holdout_share,
            "features": [feature.name for feature in data.features],
            "derived": [repr(feature) for feature in data.derived],
            "folds": data.folds,
            "seed": data.seed,
            "metric": self._task.metric.name,
            "algorithm": algorithm,
            "base": base,
            "space": spaces.dump_python(space, mode="json"),
            "pruner": self._search.pruner,
        }
        text = json.dumps(content, sort_keys=True)
        return sha256_bytes(text.encode())
