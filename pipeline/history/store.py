"""Reading runs from an MLflow store or server, through MLflow's client alone."""

import math
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, UsageError
from pipeline.history import layout, rows, runfile

# No waiting for minutes for a server that is not there, no progress bars, no telemetry.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
PAGE = 1000


@contextmanager
def connect(uri: str, mlruns: Path) -> Iterator["Store"]:
    """Open an MLflow store (`sqlite:///file.db`) or server (`http://host:port`).

    Args:
        mlruns: where a server keeps the artifacts of `mlflow-artifacts:` addresses.

    Raises:
        UsageError: the database does not exist.
        PipelineError: MLflow raised something while the store was open.
    """
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
        raise UsageError(f"{uri}: there is no such file.")
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        yield Store(uri, mlruns, MlflowClient(uri, registry_uri=uri))
    except MlflowException as error:
        told = " ".join((error.message or type(error).__name__).split())
        raise PipelineError(f"{uri}: {told[:400]}") from error


class Store:
    """What an MLflow store or server holds; `connect` opens one."""

    def __init__(self, uri: str, mlruns: Path, client: Any) -> None:
        self.uri = uri
        self._mlruns = mlruns
        self._client = client
        experiments = _pages(client.search_experiments)
        self._experiments = {found.experiment_id: found.name for found in experiments}
        self._models: dict[str, list[Any]] = defaultdict(list)  # by the run that logged them
        self._owners: dict[str, str] = {}  # the run that logged a model, by model id
        for model in _pages(client.search_logged_models, experiment_ids=list(self._experiments)):
            if model.source_run_id:
                self._models[model.source_run_id].append(model)
                self._owners[model.model_id] = model.source_run_id

    def runs(self, condition: str = "") -> Iterator[Any]:
        """Yield MLflow's entity of every active run that meets a condition, oldest first."""
        return _pages(
            self._client.search_runs,
            experiment_ids=list(self._experiments),
            filter_string=condition,
            order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
        )

    def is_kept(self, entity: Any) -> bool:
        """Tell whether the run came into the store out of the history, by a restore."""
        uri = str(entity.info.artifact_uri)
        folder = uri.removeprefix(layout.URI_SCHEME).removesuffix(f"/{layout.ARTIFACTS}")
        return layout.is_history_uri(uri) and (self._mlruns / folder / layout.RUN_FILE).is_file()

    def family(self, run_id: str) -> list[Any]:
        """Return a run's entity and those of all that belong with it, parents before children.

        Those are its parents, its children and the runs whose models it uses; not what lies in the
        history already.

        Raises:
            UsageError: one of them is deleted or has not ended.
        """
        found: list[Any] = []
        seen: set[str] = set()

        def visit(run_id: str) -> None:
            if run_id in seen:
                return
            seen.add(run_id)
            run = self._client.get_run(run_id)
            if self.is_kept(run):
                return
            state = run.info.status if run.info.lifecycle_stage == "active" else "deleted"
            if state in ("RUNNING", "SCHEDULED", "deleted"):
                raise UsageError(f"the run {run_id} is {state}: only ended runs can be saved.")
            linked = (*run.inputs.model_inputs, *run.outputs.model_outputs)
            owners = (self._owners.get(link.model_id) for link in linked)
            for other in filter(None, (run.data.tags.get(rows.PARENT_TAG), *owners)):
                visit(other)
            found.append(run)
            for child in self.runs(f"tags.`{rows.PARENT_TAG}` = '{run_id}'"):
                visit(child.info.run_id)

        visit(run_id)
        return found

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
            "parent": tags.pop(rows.PARENT_TAG, None),
            "status": info.status,
            "lifecycle_stage": info.lifecycle_stage,
            "started": info.start_time,
            "ended": info.end_time,
            "user": info.user_id or "",
            "params": data.params,
            "metrics": {key: self._history(info, key, last) for key, last in data.metrics.items()},
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
        """Copy the files of a run and of its models into a folder, laid out as in the history."""
        self._download(str(entity.info.artifact_uri), folder / layout.ARTIFACTS)
        for model in self._models[entity.info.run_id]:
            self._download(str(model.artifact_location), folder / layout.MODELS / model.model_id)

    def _download(self, uri: str, folder: Path) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        if uri.startswith(layout.URI_SCHEME) and not self.uri.startswith("http"):
            uri = (self._mlruns / uri.removeprefix(layout.URI_SCHEME)).absolute().as_uri()
        repository = get_artifact_repository(uri, tracking_uri=self.uri)
        if repository.list_artifacts():
            folder.mkdir(parents=True)
            download: Callable[..., str] = repository.download_artifacts
            download("", dst_path=str(folder))

    def _history(self, info: Any, key: str, latest: float) -> list[runfile.Point]:
        """Return a metric's points by time, step and value.

        The store knows 0 and not-a-number as equal: of two such, the one that it shows is first.
        """
        points = [
            (metric.value, metric.timestamp - info.start_time, metric.step)
            for metric in self._client.get_metric_history(info.run_id, key)
        ]

        def order(point: runfile.Point) -> tuple[float, ...]:
            nan = math.isnan(point[0])
            return point[1], point[2], 0.0 if nan else point[0], nan != math.isnan(latest)

        return sorted(points, key=order)


def _describe_model(entity: Any) -> dict[str, Any]:
    fields = runfile.ModelMetric.model_fields
    metrics = [{name: getattr(metric, name) for name in fields} for metric in entity.metrics or []]
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
        "metrics": sorted(metrics, key=lambda metric: [str(metric[name]) for name in order]),
    }


def _pages(query: Callable[..., Any], **arguments: Any) -> Iterator[Any]:
    token = None
    while True:
        page = query(max_results=PAGE, page_token=token, **arguments)
        yield from page
        token = page.token
        if not token:
            return
