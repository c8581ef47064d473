"""`pipeline train`: fit and judge every task's candidates, and leave a bundle behind."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from core import tracing
from core.errors import PipelineError, Unavailable, UsageError
from core.files import TEMPORARY_PREFIX, emptied
from core.git import git
from history import address
from pipeline import bundle as bundles
from pipeline import library_settings
from pipeline import tasks as all_tasks
from pipeline.bundle import Bundle, TaskResult
from pipeline.params import Params
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train.changes import changes
from pipeline.train.settings import load as load_settings
from pipeline.workflow import notice

if TYPE_CHECKING:
    from pipeline.train.task_training import TaskTraining


def train(repo: Repo, tasks: list[str], out: Path, fresh: bool = False) -> Bundle:
    """Train tasks (all of them if none is named) and put the bundle at `out`.

    An older bundle there is taken away first, so that what is there afterwards is of
    this training or nothing. Nothing else in the checkout is touched but `build/`.
    `fresh` reads the data's sources as they are now. A task whose data cannot be had is
    left out with a notice, unless it was asked for by name.

    Raises:
        UsageError: a task or a key is unknown, or `out` is a folder that is no bundle.
        PipelineError: a task's data are not valid, no data can be had, or the tracking
            store fails.
    """
    settings = load_settings(repo)
    chosen = [all_tasks.load(name) for name in tasks or settings.tasks]
    if missing := [task.name for task in chosen if task.name not in settings.tasks]:
        raise UsageError(
            f"params.yaml: tasks.{missing[0]}: is missing; give the task a section."
        )
    out = out.resolve()
    if out.exists() and not (out / bundles.FILE).is_file() and any(out.iterdir()):
        raise UsageError(
            f"{out} holds something else than a bundle: name another folder."
        )
    repo.build.mkdir(parents=True, exist_ok=True)
    library_settings.set_up(repo.build)
    store = (
        os.environ.get("MLFLOW_TRACKING_URI") or "the tracking store in build/tracking"
    )
    try:
        with (
            FileLock(repo.build / "train.lock", timeout=0),
            address.one_sentence(store),
        ):
            return _replace(repo, chosen, settings, out, fresh, asked=bool(tasks))
    except Timeout as error:
        raise UsageError(
            f"{repo.root} is training already: wait until it has ended."
        ) from error


def _replace(
    repo: Repo,
    chosen: list[Task],
    settings: Params,
    out: Path,
    fresh: bool,
    asked: bool,
) -> Bundle:
    """Take the old bundle away, make the new one aside, then put it in its place.

    A training that fails or is killed leaves none: a publish would take the old one for
    its result.
    """
    with emptied(out.with_name(f"{TEMPORARY_PREFIX}{out.name}")) as aside:
        if out.exists():
            out.rename(aside / "old")
        bundle = _fill(repo, chosen, settings, aside / "new", fresh, asked)
        (aside / "new").rename(out)
    return bundle


def _fill(
    repo: Repo,
    chosen: list[Task],
    settings: Params,
    folder: Path,
    fresh: bool,
    asked: bool,
) -> Bundle:
    """Train the tasks into a bundle's folder, one after the other."""
    # These imports take seconds, and nobody should wait to hear of a wrong key.
    from pipeline.report.templates import render
    from pipeline.train.task_training import TaskTraining

    dirty, commit = changes(repo), git(repo.root, "rev-parse", "HEAD")
    trainings = [
        TaskTraining(repo, task, settings, folder, dirty, fresh) for task in chosen
    ]
    results, waiting = _run(trainings, asked)
    bundle = Bundle(
        format=1,
        commit=commit,
        dirty=dirty,
        tasks=results,
        waiting=waiting,
        created=int(time.time() * 1000),
    )
    bundles.write(folder, bundle)
    trained = [training for training in trainings if training.task.name in results]
    print(render("trained.txt", trainings=trained), end="")
    return bundle


def _run(
    trainings: list["TaskTraining"], asked: bool
) -> tuple[dict[str, TaskResult], dict[str, str]]:
    """Run the trainings; return their results, and what the tasks without data wait
    for.

    Raises:
        PipelineError: a task that was asked for by name has no data, or no task has
            any.
    """
    results: dict[str, TaskResult] = {}
    waiting: dict[str, str] = {}
    for training in trainings:
        name = training.task.name
        try:
            with tracing.span("train task", {"task": name}):
                results[name] = training.run()
        except Unavailable as error:
            if asked:
                raise
            waiting[name] = error.waits_for
            notice(f"{name} waits for its data", f"it is not trained: {error}")
    if not results:
        hosts = "; ".join(f"{name} for {hosts}" for name, hosts in waiting.items())
        raise PipelineError(
            f"nothing was trained, since no data can be had: waiting are {hosts}. "
            "Train again later, or put a table into data/ with `pipeline data add`."
        )
    return results, waiting
