"""All tasks' models: which is served, and why a newer file is not."""

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from app.errors import ApiError
from app.observability.metrics import Metrics
from app.serving.model import MANIFEST, MODEL, Model, ModelError
from app.serving.task_by_fields import TasksByFields

log = logging.getLogger(__name__)

Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass
class Entry:
    """One task: the model in service, and what is wrong with the files if they are not
    it.
    """

    served: Model | None = None
    problem: str | None = None
    loaded: Signature = ()


class Models:
    """The models of a folder, looked at again and again; a broken file never replaces a
    model.

    A version that was loaded by hand lies in `by_hand` and is preferred until another
    champion is published.

    Attributes:
        entries: every task's model, in service or not.
        by_fields: the tasks in service by their fields.
    """

    def __init__(self, folder: Path, by_hand: Path, metrics: Metrics) -> None:
        self.folder, self.by_hand, self.metrics = folder, by_hand, metrics
        self.entries: dict[str, Entry] = {}
        self.by_fields = TasksByFields({})
        self._seen: dict[str, Signature] = {}

    def get(self, task: str) -> Model:
        """Return a task's model.

        Raises:
            ApiError: 404 for a task that is not known, 503 for one whose model cannot
                be served.
        """
        entry = self.entries.get(task)
        if entry is None:
            known = ", ".join(sorted(self.entries)) or "none yet"
            raise ApiError(
                404, f"there is no task {task[:100]!r}: the tasks are {known}."
            )
        if entry.served is None:
            raise ApiError(
                503,
                f"{task} is not ready: {entry.problem}.",
                headers={"Retry-After": "5"},
            )
        return entry.served

    def served(self) -> dict[str, Model]:
        """Return the models in service by task."""
        return {
            name: entry.served for name, entry in self.entries.items() if entry.served
        }

    def obstacles(self) -> list[str]:
        """Return what keeps the API from being ready: nothing, if every task is served."""
        if not self.entries:
            return [
                f"{self.folder} holds no model: restore it with `git checkout"
                f" {self.folder}`, or train and publish with `python -m pipeline train`"
                " and `python -m pipeline publish`"
            ]
        return [
            f"{n}: {entry.problem}"
            for n, entry in self.entries.items()
            if not entry.served
        ]

    def refresh(self, patient: bool = True) -> None:
        """Load what has changed; with patience only once the files stay as they are.

        A `git pull` writes a model and its manifest one after the other: until the
        files look the same twice they are left alone.
        """
        there = {
            path.name
            for path in self.folder.glob("*/")
            if not path.name.startswith(".")
        }
        entries = dict(self.entries)  # another one: requests go through the present one
        for task in sorted(there | entries.keys()):
            entry = entries.get(task) or Entry()
            now, before = self._signature(task), self._seen.get(task)
            self._seen[task] = now
            if now != entry.loaded and (now == before or not patient):
                self._load(task, entry)
                entry.loaded = now
                entries[task] = entry
        self.entries = entries
        names = {task: model.records.names for task, model in self.served().items()}
        self.by_fields = TasksByFields(names, self.obstacles())

    def _load(self, task: str, entry: Entry) -> None:
        problem: str | None = None
        for folder in self._folders(task):
            try:
                model = entry.served = _open(folder, task)
            except (
                Exception
            ) as error:  # whatever lies there, the models in service serve on
                kind = (
                    "" if isinstance(error, ModelError) else f"{type(error).__name__}: "
                )
                reason = f"{kind}{error}"
                problem = problem or reason
                self.metrics.reload_failures.labels(task).inc()
                serving = entry.served.manifest.version if entry.served else None
                extra = {
                    "task": task,
                    "reason": reason,
                    "still_serving_version": serving,
                }
                log.error("a model was refused", extra=extra)
                if entry.served:
                    break
            else:
                self.metrics.load_seconds.labels(task).observe(model.load_seconds)
                log.info(
                    "a model is in service",
                    extra=model.identity | {"sha256": model.digest},
                )
                break
        self.metrics.show_model(task, entry.served, problem is None)
        entry.problem = problem

    def _folders(self, task: str) -> list[Path]:
        """Return the folder to serve, and what may stand in for it where nothing is
        served yet.
        """
        champion, by_hand = self.folder / task, self.by_hand / task
        try:
            loaded_over = json.loads((by_hand / MANIFEST).read_bytes())["loaded_over"]
            now = hashlib.sha256((champion / MANIFEST).read_bytes()).hexdigest()
        except (OSError, ValueError, LookupError, TypeError):
            return [champion]
        return [by_hand, champion] if loaded_over == now else [champion]

    def _signature(self, task: str) -> Signature:
        folders = (self.folder / task, self.by_hand / task)
        return tuple(
            _stat(folder / name) for folder in folders for name in (MANIFEST, MODEL)
        )


def _open(folder: Path, task: str) -> Model:
    model = Model(folder)
    if model.manifest.task != task:
        raise ModelError(f"{MANIFEST} is of the task {model.manifest.task}")
    return model


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
