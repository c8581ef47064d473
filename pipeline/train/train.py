"""`pipeline train`: fit and evaluate the candidates of tasks, and leave a bundle."""

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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
from pipeline.cluster import settings as cluster_settings
from pipeline.repo import Repo
from pipeline.shard import Shard
from pipeline.train.changes import changes
from pipeline.train.settings import load as load_settings
from pipeline.workflow import notice

if TYPE_CHECKING:
    from pipeline.train.backend import Backend
    from pipeline.train.task_training import TaskTraining

OWN_STORE = "the tracking store in build/tracking"


def train(
    repo: Repo,
    tasks: list[str],
    out: Path,
    refresh: bool = False,
    shard: Shard | None = None,
) -> Bundle:
    """Train tasks and put the bundle at `out`.

    An older bundle there is taken away first, so that what is there afterwards is of
    this training or nothing. Nothing else in the checkout is touched but `build/`. A
    task whose data are not available is left out with a notice, unless it was named.

    Args:
        repo: the checkout.
        tasks: the names of the tasks; all of `params.yaml` if there is none.
        out: the bundle's folder.
        refresh: whether to read the data's sources and not the snapshots.
        shard: the share of these tasks to train; None means all. The bundle of a shard
            may have no task, if none has data.

    Raises:
        UsageError: a task or a key is unknown, `out` is a folder that is not a bundle,
            or a variable of the cluster holds something else than it should.
        PipelineError: a task's data are not valid, no data are available, or the
            tracking store or the cluster fails.
    """
    return Training(repo, tasks, out, refresh, shard).run()


class Training:
    """One run of `pipeline train`."""

    def __init__(
        self,
        repo: Repo,
        tasks: list[str],
        out: Path,
        refresh: bool,
        shard: Shard | None,
    ) -> None:
        """Take the arguments of `train`."""
        self._repo = repo
        self._names = tasks
        self._out = out.resolve()
        self._refresh = refresh
        self._shard = shard

    def run(self) -> Bundle:
        """Train, while no other training of this checkout runs."""
        self._require_replaceable()
        repo = self._repo
        repo.build.mkdir(parents=True, exist_ok=True)
        library_settings.set_up(repo.build)
        store = os.environ.get("MLFLOW_TRACKING_URI") or OWN_STORE
        lock = FileLock(repo.build / "train.lock", timeout=0)
        try:
            with lock, self._old_bundle_removed() as aside:
                self._read_configuration()
                with self._open_cluster() as cluster, address.one_sentence(store):
                    bundle = self._fill(aside / "new", cluster)
                (aside / "new").rename(self._out)
                return bundle
        except Timeout as error:
            raise UsageError(
                f"{repo.root} is training already: wait until it has ended."
            ) from error

    def _require_replaceable(self) -> None:
        out = self._out
        if not bundles.may_be_replaced(out):
            raise UsageError(
                f"{out} holds something else than a bundle: name another folder."
            )
        if self._shard and (out.parent / bundles.FILE).is_file():
            raise UsageError(
                f"{out.parent} is a bundle of all tasks: delete it, so that it is not"
                " published in place of the shards."
            )

    def _open_cluster(self) -> AbstractContextManager["Backend | None"]:
        # joblib takes long to import, and a wrong argument should be reported at once.
        from pipeline.train.backend import open_cluster

        return open_cluster(self._cluster, self._tables)

    @contextmanager
    def _old_bundle_removed(self) -> Iterator[Path]:
        """Remove the old bundle, and return a folder in which to build the new one.

        A training that is refused, fails or is killed leaves none: a publish would take
        the old one for its result.
        """
        out = self._out
        with emptied(out.with_name(f"{TEMPORARY_PREFIX}{out.name}")) as aside:
            if out.exists():
                out.rename(aside / "old")
            yield aside

    def _read_configuration(self) -> None:
        self._cluster = cluster_settings.address()
        self._tables = cluster_settings.tables()
        self._settings = load_settings(self._repo)
        names = self._names or list(self._settings.tasks)
        if self._shard:
            names = self._shard.of(names)
        self._tasks = [all_tasks.load(name) for name in names]
        for task in self._tasks:
            if task.name not in self._settings.tasks:
                raise UsageError(
                    f"params.yaml: tasks.{task.name}: is missing; give the task a"
                    " section."
                )

    def _fill(self, folder: Path, cluster: "Backend | None") -> Bundle:
        """Train the tasks into a bundle's folder, one after the other."""
        # These imports take seconds, and an unknown key should be reported at once.
        from pipeline.report.templates import render
        from pipeline.train.task_training import TaskTraining

        repo = self._repo
        dirty = changes(repo)
        commit = git(repo.root, "rev-parse", "HEAD")
        trainings = []
        for task in self._tasks:
            training = TaskTraining(
                repo,
                task,
                self._settings,
                folder,
                dirty,
                self._refresh,
                cluster,
            )
            trainings.append(training)
        results, waiting = self._run(trainings)
        bundle = Bundle(
            format=1,
            commit=commit,
            dirty=dirty,
            tasks=results,
            waiting=waiting,
            created=int(time.time() * 1000),
        )
        bundles.write(folder, bundle)
        trained = [each for each in trainings if each.task.name in results]
        print(render("trained.txt", trainings=trained), end="")
        return bundle

    def _run(
        self, trainings: list["TaskTraining"]
    ) -> tuple[dict[str, TaskResult], dict[str, str]]:
        """Return the trainings' results, and the hosts that tasks without data wait for.

        Raises:
            PipelineError: a task that was named has no data, or no task has any.
        """
        results: dict[str, TaskResult] = {}
        waiting: dict[str, str] = {}
        for training in trainings:
            name = training.task.name
            try:
                with tracing.span("train task", {"task": name}):
                    results[name] = training.run()
            except Unavailable as error:
                if self._names:
                    raise
                waiting[name] = error.waits_for
                notice(f"{name} waits for its data", f"it is not trained: {error}")
        if not results and not self._shard:
            waits = [f"{name} for {host}" for name, host in waiting.items()]
            hosts = "; ".join(waits)
            raise PipelineError(
                f"nothing was trained, since no data can be had: waiting are {hosts}. "
                "Train again later, or put a table into data/ with `pipeline data add`."
            )
        return results, waiting
