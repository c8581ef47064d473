"""The models of all tasks: which version is served, and why a newer one is not."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from app.errors import ApiError
from app.observability.metrics import Metrics
from app.serving.model import Model, ModelError
from app.serving.task_by_fields import TasksByFields
from core.file_names import MANIFEST, MODEL
from core.files import sha256_file

RETRY = {"Retry-After": "5"}
log = logging.getLogger(__name__)

FileState = tuple[int, int, int] | None
Signature = tuple[FileState, ...]


@dataclass
class TaskState:
    """One task: the model in service, and why its files are not served if they differ.

    Attributes:
        served: the model that answers requests.
        problem: what is wrong with the files, if they are not what is served.
        loaded: the signature of the files that were loaded last.
    """

    served: Model | None = None
    problem: str | None = None
    loaded: Signature = ()


class ModelRepository:
    """The models in a folder, reloaded when their files change.

    A broken file never replaces a model. A version that was loaded manually lies in
    `loaded_folder`; it is preferred until another champion is published.

    Attributes:
        tasks: the state of each task, in service or not.
        by_fields: the tasks in service by their fields.
    """

    def __init__(
        self,
        folder: Path,
        loaded_folder: Path,
        metrics: Metrics,
        default_task: str,
    ) -> None:
        self.folder = folder
        self.loaded_folder = loaded_folder
        self.metrics = metrics
        self.default_task = default_task
        self.tasks: dict[str, TaskState] = {}
        self.by_fields = TasksByFields({})
        self._signatures: dict[str, Signature] = {}

    def get(self, task: str) -> Model:
        """Return a task's model.

        Raises:
            ApiError: 404 for an unknown task, 503 for one whose model cannot be served.
        """
        state = self.tasks.get(task)
        if state is None:
            names = ", ".join(sorted(self.tasks)) or "none yet"
            raise ApiError(
                404, f"there is no task {task[:100]!r}: the tasks are {names}."
            )
        if state.served is None:
            message = f"{task} is not ready: {state.problem}."
            raise ApiError(503, message, headers=RETRY)
        return state.served

    def default_model(self) -> Model:
        """Return the default task's model, or that of the first task by name.

        Raises:
            ApiError: 503 if there is no task, or its model cannot be served.
        """
        if not self.tasks:
            message = f"{self.not_ready_reasons()[0]}."
            raise ApiError(503, message, headers=RETRY)
        if self.default_task in self.tasks:
            return self.get(self.default_task)
        return self.get(min(self.tasks))

    def model_for(self, content: bytes) -> Model:
        """Return the model of the task that has the fields of a request's body.

        A body without a record gets the default model, whose validator says what is
        wrong with it.

        Raises:
            ApiError: as `TasksByFields.task_of` and `default_model` do.
        """
        task = self.by_fields.task_of(content)
        if task:
            return self.get(task)
        return self.default_model()

    def served(self) -> dict[str, Model]:
        """Return the models in service by task."""
        models = {}
        for name, state in self.tasks.items():
            if state.served:
                models[name] = state.served
        return models

    def not_ready_reasons(self) -> list[str]:
        """Return why the API is not ready: empty if every task is served."""
        if not self.tasks:
            return [
                f"{self.folder} holds no model: restore it with `git checkout"
                f" {self.folder}`, or train and publish with `python -m pipeline train`"
                " and `python -m pipeline publish`"
            ]
        reasons = []
        for name, state in self.tasks.items():
            if not state.served:
                reasons.append(f"{name}: {state.problem}")
        return reasons

    def reload(self, require_stable: bool = True) -> None:
        """Load what has changed.

        Args:
            require_stable: wait until files look the same twice. A `git pull` writes a
                model and its manifest one after the other.
        """
        states = dict(self.tasks)  # requests use the present one meanwhile
        for task in sorted(self._folder_names() | states.keys()):
            state = states.get(task) or TaskState()
            signature = self._signature(task)
            stable = signature == self._signatures.get(task)
            self._signatures[task] = signature
            if signature != state.loaded and (stable or not require_stable):
                self._load(task, state)
                state.loaded = signature
                states[task] = state
        self.tasks = states
        names = {}
        for task, model in self.served().items():
            names[task] = model.validator.names
        self.by_fields = TasksByFields(names, self.not_ready_reasons())

    def _folder_names(self) -> set[str]:
        folders = self.folder.glob("*/")
        return {path.name for path in folders if not path.name.startswith(".")}

    def _load(self, task: str, state: TaskState) -> None:
        """Put a task's files into service, or record why they cannot be."""
        problem: str | None = None
        for folder in self._folders(task):
            try:
                model = _open(folder, task)
            except Exception as error:  # whatever the files hold, other models serve on
                reason = _reason(error)
                problem = problem or reason
                self._report_refused(task, state, reason)
                if state.served:
                    break
            else:
                state.served = model
                self._report_loaded(model)
                break
        self.metrics.show_model(task, state.served, problem is None)
        state.problem = problem

    def _report_refused(self, task: str, state: TaskState, reason: str) -> None:
        self.metrics.reload_failures.labels(task).inc()
        version = state.served.manifest.version if state.served else None
        extra = {
            "task": task,
            "reason": reason,
            "still_serving_version": version,
        }
        log.error("a model was refused", extra=extra)

    def _report_loaded(self, model: Model) -> None:
        seconds = self.metrics.load_seconds.labels(model.manifest.task)
        seconds.observe(model.load_seconds)
        extra = model.identity | {"sha256": model.digest}
        log.info("a model is in service", extra=extra)

    def _folders(self, task: str) -> list[Path]:
        """Return the folder to serve, and one to use if that cannot be opened."""
        champion = self.folder / task
        loaded = self.loaded_folder / task
        try:
            manifest = json.loads((loaded / MANIFEST).read_bytes())
            loaded_over = manifest["loaded_over"]
            digest = sha256_file(champion / MANIFEST)
        except (OSError, ValueError, LookupError, TypeError):
            return [champion]
        if loaded_over != digest:
            return [champion]
        return [loaded, champion]

    def _signature(self, task: str) -> Signature:
        files = []
        for folder in (self.folder / task, self.loaded_folder / task):
            files.append(_file_state(folder / MANIFEST))
            files.append(_file_state(folder / MODEL))
        return tuple(files)


def _open(folder: Path, task: str) -> Model:
    model = Model(folder)
    if model.manifest.task != task:
        raise ModelError(f"{MANIFEST} is of the task {model.manifest.task}")
    return model


def _reason(error: Exception) -> str:
    if isinstance(error, ModelError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _file_state(path: Path) -> FileState:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
