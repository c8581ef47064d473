"""Reading runs from an MLflow store or server, through MLflow's client alone."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.errors import PipelineError, UsageError
from core.redact import redact
from history import address, layout, mlflow_rows, runfile

PAGE = 1000
# MLflow's codes for what is not there: an unknown id, and one that is no id at all.
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


# What precedes the first file in MLflow's list of those that it could not download.
FAILED_FILE = "##### File "


class UnreadableRunError(PipelineError):
    """A run or its files cannot be read; the text goes on from "the run X"."""


@contextmanager
def connect(uri: str, mlruns: Path) -> Iterator["Store"]:
    """Open an MLflow store (`sqlite:///file.db`, or a folder) or server
    (`http://host:port`).

    Args:
        mlruns: where a server keeps the artifacts of `mlflow-artifacts:` addresses.

    Raises:
        UsageError: the database or folder does not exist, or is not MLflow's. Nothing
        is written. PipelineError: MLflow raised something while the store was open.
    """
    address.use_settings()
    with address.settings_for(uri), address.one_sentence(uri):
        yield _open(uri, mlruns)


def _open(uri: str, mlruns: Path) -> "Store":
    from mlflow import MlflowClient

    try:
        address.require_mlflow(uri)
        return Store(uri, mlruns, MlflowClient(uri, registry_uri=uri))
    except ValueError as error:
        reason = address.words_of(error)
        raise UsageError(
            f"{redact(uri)}: is not the address of a store ({reason})."
        ) from error


class Store:
    """What an MLflow store or server holds; `connect` opens one."""

    def __init__(self, uri: str, mlruns: Path, client: Any) -> None:
        self.uri = uri
        self._mlruns = mlruns
        self.client = client
        experiments = self.pages(client.search_experiments)
        self._experiments = {found.experiment_id: found.name for found in experiments}
        self._models: dict[str, list[Any]] = defaultdict(
            list
        )  # by the run that logged them
        self._owners: dict[str, str] = {}  # the run that logged a model, by model id
        for model in self.pages(
            client.search_logged_models, experiment_ids=self.experiments
        ):
            if model.source_run_id:
                self._models[model.source_run_id].append(model)
                self._owners[model.model_id] = model.source_run_id

    @property
    def experiments(self) -> list[str]:
        """The ids of the active experiments."""
        return list(self._experiments)

    def runs(self, condition: str = "") -> Iterator[Any]:
        """Yield MLflow's entity of every active run that meets a condition, oldest
        first.
        """
        return self.pages(
            self.client.search_runs,
            experiment_ids=self.experiments,
            filter_string=condition,
            order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
        )

    def is_kept(self, entity: Any) -> bool:
        """Tell whether the run came into the store out of the history, by a restore."""
        uri = str(entity.info.artifact_uri)
        folder = uri.removeprefix(layout.URI_SCHEME).removesuffix(
            f"/{layout.ARTIFACTS}"
        )
        return (
            layout.is_history_uri(uri)
            and (self._mlruns / folder / layout.RUN_FILE).is_file()
        )

    def pages(
        self, query: Callable[..., Any], size: int = PAGE, **arguments: Any
    ) -> Iterator[Any]:
        """Yield all that a search of MLflow's client finds, page after page."""
        token = None
        while True:
            page = query(max_results=size, page_token=token, **arguments)
            yield from page
            token = page.token
            if not token:
                return

    def run(self, run_id: str) -> Any | None:
        """Return MLflow's entity of a run, or None if the store has none of this id."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            return None

    def needs(self, run: Any) -> dict[str, str]:
        """Return what a run cannot be understood without: run ids, and what each is to
        it.
        """
        linked = (*run.inputs.model_inputs, *run.outputs.model_outputs)
        owners = filter(None, (self._owners.get(link.model_id) for link in linked))
        found = dict.fromkeys(owners, "the run whose model it uses")
        if parent := run.data.tags.get(mlflow_rows.PARENT_TAG):
            found = {parent: "its parent"} | found
        found.pop(run.info.run_id, None)
        return found

    def children(self, run_id: str) -> list[str]:
        """Return the ids of the active runs whose parent this is, oldest first."""
        condition = f"tags.`{mlflow_rows.PARENT_TAG}` = '{run_id}'"
        return [str(child.info.run_id) for child in self.runs(condition)]

    def require_answer(self) -> None:
        """Raise MLflow's error if the store does not answer any more."""
        self.client.search_experiments(max_results=1)

    def describe(self, entity: Any) -> dict[str, Any]:
        """Return the content of a run's `run.json`, but for the lists of its files.

        Links to models that are deleted, or that no run has logged, are left out.
        """
        info, data, tags = entity.info, entity.data, dict(entity.data.tags)
        datasets = [used.to_dictionary() for used in entity.inputs.dataset_inputs]
        inputs = [used.model_id for used in entity.inputs.model_inputs]
        outputs = [put.to_dictionary() for put in entity.outputs.model_outputs]
        models = [_describe_model(model) for model in self._models[info.run_id]]
        return {
            "format": runfile.FORMAT,
            "run_id": info.run_id,
            "name": info.run_name,
            "experiment": self._experiments[info.experiment_id],
            "parent": tags.pop(mlflow_rows.PARENT_TAG, None),
            "status": info.status,
            "lifecycle_stage": info.lifecycle_stage,
            "started": info.start_time,
            "ended": info.end_time,
            "user": info.user_id or "",
            "params": data.params,
            "metrics": {
                key: self._history(info, key, last)
                for key, last in data.metrics.items()
            },
            "tags": tags,
            "datasets": sorted(
                (known["dataset"] | {"tags": known["tags"]} for known in datasets),
                key=lambda known: (known["name"], known["digest"]),
            ),
            "model_inputs": sorted(self._owners.keys() & inputs),
            "model_outputs": sorted(
                (put for put in outputs if put["model_id"] in self._owners),
                key=lambda put: str(put["model_id"]),
            ),
            "models": sorted(models, key=lambda model: str(model["model_id"])),
        }

    def download(self, entity: Any, folder: Path) -> None:
        """Copy the files of a run and of its models into a folder, laid out as in the
        history.

        Raises:
            UnreadableRunError: one of them cannot be had.
        """
        places = {str(entity.info.artifact_uri): folder / layout.ARTIFACTS}
        for model in self._models[entity.info.run_id]:
            places[str(model.artifact_location)] = (
                folder / layout.MODELS / model.model_id
            )
        for uri, place in places.items():
            try:
                self._download(uri, place)
            except Exception as error:  # of MLflow, or of any library below it
                words = address.words_of(error).partition(FAILED_FILE)
                raise UnreadableRunError(
                    f"cannot be read: its files at {redact(uri)}:"
                    f" {words[2] or words[0]}"
                ) from error

    def _download(self, uri: str, folder: Path) -> None:
        from mlflow.store.artifact.artifact_repository_registry import (
            get_artifact_repository,
        )

        if uri.startswith(layout.URI_SCHEME) and not self.uri.startswith("http"):
            uri = (
                (self._mlruns / uri.removeprefix(layout.URI_SCHEME)).absolute().as_uri()
            )
        repository = get_artifact_repository(uri, tracking_uri=self.uri)
        for path in _listed(repository):
            if unquote(path) != path:  # MLflow would read another file, or none
                raise ValueError(
                    f"MLflow cannot read {path!r}, for it has a % in its name"
                )
        if repository.list_artifacts():
            folder.mkdir(parents=True)
            download: Callable[..., str] = repository.download_artifacts
            download("", dst_path=str(folder))

    def _history(self, info: Any, key: str, latest: float) -> list[runfile.Point]:
        """Return a metric's points by time, step and value.

        The store knows 0 and not-a-number as equal: of two such, the one that it shows
        is first.
        """
        points = [
            (metric.value, metric.timestamp - info.start_time, metric.step)
            for metric in self.client.get_metric_history(info.run_id, key)
        ]

        def order(point: runfile.Point) -> tuple[float, ...]:
            nan = math.isnan(point[0])
            return (
                point[1],
                point[2],
                0.0 if nan else point[0],
                nan != math.isnan(latest),
            )

        return sorted(points, key=order)


def _listed(repository: Any, folder: str | None = None) -> Iterator[str]:
    """Yield the paths of all files and folders of an artifact repository."""
    for entry in repository.list_artifacts(folder):
        yield entry.path
        if entry.is_dir:
            yield from _listed(repository, entry.path)


def _describe_model(entity: Any) -> dict[str, Any]:
    fields = runfile.ModelMetric.model_fields
    metrics = [
        {name: getattr(metric, name) for name in fields}
        for metric in entity.metrics or []
    ]
    order = ("key", "timestamp", "step", "run_id")
    return {
        "model_id": entity.model_id,
        "name": entity.name,
        "type": entity.model_type,
        "status": str(entity.status),
        "status_message": entity.status_message,
        "created": entity.creation_timestamp,
        "updated": entity.last_updated_timestamp,
        "params": entity.params or {},
        "tags": entity.tags or {},
        "metrics": sorted(
            metrics, key=lambda metric: [str(metric[name]) for name in order]
        ),
    }
