"""The stage `register`: record the training as MLflow runs, and write the bundle."""

import os
import time
from pathlib import Path

from core.git import git
from history import address
from pipeline import bundle as bundles
from pipeline.bundle import Bundle, Challenger, TaskResult
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.stages import candidate_files, evaluate, features, prepare, validate
from pipeline.stages.files import replacing_folder, require
from pipeline.stages.folder import StageFolder
from pipeline.train.bundle_parts import import_recorded, keep_rows, log_challenger
from pipeline.train.candidates import Candidate, Failure, best
from pipeline.train.changes import changes
from pipeline.train.recorder import Recorder
from pipeline.train.train import OWN_STORE


def run(repo: Repo, task: Task, settings: Params) -> str:
    """Write the bundle that `pipeline publish` reads; return a sentence about it.

    Raises:
        UsageError: a stage before it has not been run, or the tracking store keeps its
            artifacts in the history.
        PipelineError: the tracking store fails.
    """
    folder = StageFolder(repo, task.name)
    store = os.environ.get("MLFLOW_TRACKING_URI") or OWN_STORE
    with replacing_folder(folder.bundle) as unfinished, address.one_sentence(store):
        registration = _Registration(repo, task, settings, folder)
        result = registration.record(unfinished)
        bundle = Bundle(
            format=1,
            commit=git(repo.root, "rev-parse", "HEAD"),
            dirty=registration.dirty,
            tasks={task.name: result},
            created=int(time.time() * 1000),
        )
        bundles.write(unfinished, bundle)
    path = folder.bundle.relative_to(repo.root).as_posix()
    return f"{task.name}: run {result.parent_run} is in {path}"


class _Registration:
    """What the stages before have left of one task."""

    def __init__(
        self, repo: Repo, task: Task, settings: Params, folder: StageFolder
    ) -> None:
        self.dirty = changes(repo)
        self._repo = repo
        self._task = task
        self._settings = settings
        self._folder = folder
        self._dataset = prepare.load(task, folder)
        self._data = features.load(task, settings, folder)
        self._candidates = candidate_files.read_timed(folder.candidates, folder.timings)

    def record(self, target: Path) -> TaskResult:
        """Log the runs, and import them into the bundle's folder."""
        dataset = self._dataset
        keep_rows(target, self._task, dataset, self._data.holdout)
        began = self._candidates[0].began
        recorder = Recorder(
            self._repo, self._data, dataset, dirty=self.dirty, began=began
        )
        results = self._record_candidates(recorder)
        winner = best(self._task, results)
        assert winner  # the stage `train` fails if there is none
        challenger = self._record_challenger(recorder, winner)
        recorder.end(self._settings, results, winner)
        run_ids = [recorder.parent, *recorder.runs.values()]
        import_recorded(self._repo, target, recorder.tracker.uri, run_ids)
        return TaskResult(
            parent_run=recorder.parent,
            run_ids=run_ids,
            data_digest=dataset.digest,
            challenger=challenger,
        )

    def _record_candidates(self, recorder: Recorder) -> list[Candidate | Failure]:
        drawings = evaluate.read_drawings(self._folder.artifacts)
        results = []
        for timed in self._candidates:
            result = timed.result
            if isinstance(result, Failure):
                recorder.record_failure(result, timed.began)
            else:
                recorder.record(result, timed.began, drawings[result.algorithm])
            results.append(result)
        return results

    def _record_challenger(self, recorder: Recorder, winner: Candidate) -> Challenger:
        manifest = require(self._folder.manifest).read_text("utf-8")
        behaviours = validate.read_behaviours(self._folder)
        return log_challenger(recorder, winner, manifest, behaviours)
