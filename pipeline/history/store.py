"""Reading runs from an MLflow store or server, through MLflow's client alone."""

import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.errors import PipelineError, UsageError
from pipeline.history import layout, rows, runfile
from pipeline.history.runfile import ModelMetric, Point, Run

# No waiting for minutes for a server that is not there, no progress bars, no telemetry.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
PAGE = 1000


class Store:
    """An MLflow store (`sqlite:///file.db`) or server (`http://host:port`)."""

    def __init__(self, uri: str, mlruns: Path) -> None:
        """Connect; `mlruns` is where a server keeps the artifacts of `mlflow-artifacts:` addresses.

        Raises:
            UsageError: the database does not exist.
        """
        if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).is_file():
            raise UsageError(f"{uri}: there is no such file.")
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        self.uri = uri
        self._mlruns = mlruns
        with self._told():
            self._client = MlflowClient(uri, registry_uri=uri)
            found = self._pages(self._client.search_experiments)
            self._experiments = {found.experiment_id: found.name for found in found}

    def runs(self, condition: str = "") -> Iterator[Any]:
        """Yield MLflow's entity of every active run that meets a condition, oldest first."""
        with self._told():
            yield from self._pages(
                self._client.search_runs,
                experiment_ids=list(self._experiments),
                filter_string=condition,
                order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
            )

    def family(self, run_id: str) -> list[Any]:
        """Return a run's entity and those of all that belong with it, parents before children.

        Those are its parents, its children and the runs whose models it uses; not what lies in the
        history already.

        Raises:
            UsageError: one of them is deleted or has not ended.
            PipelineError: one of them is not there, or the store does not answer.
        """
        found: dict[str, Any] = {}

        def visit(run_id: str) -> None:
            if run_id in found:
                return
            found[run_id] = None
            run = self._client.get_run(run_id)
            if self.is_kept(run):
                return
            if run.info.lifecycle_stage != "active" or run.info.status in ("RUNNING", "SCHEDULED"):
                state = run.info.status if run.info.lifecycle_stage == "active" else "deleted"
                raise UsageError(f"the run {run_id} is {state}: only ended runs can be saved.")
            for other in (run.data.tags.get(rows.PARENT_TAG), *self._linked_models(run).values()):
                if other:
                    visit(other)
            del found[run_id]  # to the end: after those that it refers to
            found[run_id] = run
            for child in self.runs(f"tags.`{rows.PARENT_TAG}` = '{run_id}'"):
                visit(child.info.run_id)

        with self._told():
            visit(run_id)
        return [run for run in found.values() if run]

    def describe(self, entity: Any) -> tuple[Run, dict[str, str]]:
        """Return a run without its artifacts, and the addresses of those by folder in the run's.

        Links to models that are deleted, or that no run has logged, are left out.
        """
        with self._told():
            models = {model.model_id: model for model in self._models(entity)}
            linked = {*models, *self._linked_models(entity)}
            run = self._run(entity, list(models.values()), linked)
        sources = {layout.ARTIFACTS: str(entity.info.artifact_uri)}
        for model_id, model in models.items():
            sources[f"{layout.MODELS}/{model_id}"] = str(model.artifact_location)
        return run, sources

    def download(self, uri: str, folder: Path) -> None:
        """Copy what lies at an artifact address into a new folder, if there is anything."""
        if uri.startswith(layout.URI_SCHEME) and not self.uri.startswith("http"):
            source = self._mlruns / uri.removeprefix(layout.URI_SCHEME)
            if source.is_dir():
                shutil.copytree(source, folder)
            return
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with self._told():
            repository = get_artifact_repository(uri, tracking_uri=self.uri)
            if repository.list_artifacts():
                folder.mkdir(parents=True)
                download: Callable[..., str] = repository.download_artifacts
                download("", dst_path=str(folder))

    def is_kept(self, entity: Any) -> bool:
        """Tell whether the run came into the store out of the history, by a restore."""
        uri = str(entity.info.artifact_uri)
        folder = uri.removeprefix(layout.URI_SCHEME).removesuffix(f"/{layout.ARTIFACTS}")
        return layout.is_history_uri(uri) and (self._mlruns / folder / layout.RUN_FILE).is_file()

    def _models(self, entity: Any) -> list[Any]:
        """Return the logged models of a run, by id."""
        found = self._pages(
            self._client.search_logged_models,
            experiment_ids=[entity.info.experiment_id],
            filter_string=f"source_run_id = '{entity.info.run_id}'",
        )
        return sorted(found, key=lambda model: str(model.model_id))

    def _linked_models(self, entity: Any) -> dict[str, str]:
        """Return the run that logged each model that a run is linked to, by model id."""
        from mlflow.exceptions import MlflowException

        found = {}
        outputs = entity.outputs.model_outputs if entity.outputs else []
        for link in (*entity.inputs.model_inputs, *outputs):
            try:
                owner = self._client.get_logged_model(link.model_id).source_run_id
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
                continue
            if owner:
                found[str(link.model_id)] = str(owner)
        return found

    def _run(self, entity: Any, models: list[Any], linked: set[str]) -> Run:
        info, data, tags = entity.info, entity.data, dict(entity.data.tags)
        inputs, outputs = entity.inputs.model_inputs, entity.outputs.model_outputs
        history = {key: self._history(info, key, last) for key, last in data.metrics.items()}
        datasets = [_dataset(dataset) for dataset in entity.inputs.dataset_inputs]
        shown = [put.to_dictionary() for put in outputs if put.model_id in linked]
        return checked(
            {
                **{"format": runfile.FORMAT, "run_id": info.run_id, "name": info.run_name},
                "experiment": self._experiments[info.experiment_id],
                "parent": tags.pop(rows.PARENT_TAG, None),
                **{"status": info.status, "lifecycle_stage": info.lifecycle_stage},
                **{"started": info.start_time, "ended": info.end_time, "user": info.user_id or ""},
                **{"params": data.params, "metrics": history, "tags": tags},
                "datasets": sorted(datasets, key=lambda known: (known["name"], known["digest"])),
                "model_inputs": sorted(m.model_id for m in inputs if m.model_id in linked),
                "model_outputs": sorted(shown, key=lambda put: str(put["model_id"])),
                "models": [_model(model) for model in models],
                "artifacts": [],
            }
        )

    def _history(self, info: Any, key: str, latest: float) -> list[Point]:
        """Return a metric's points by time, step and value.

        The store knows 0 and not-a-number as equal: of two such, the one that it shows is first.
        """
        points = [
            (metric.value, metric.timestamp - info.start_time, metric.step)
            for metric in self._client.get_metric_history(info.run_id, key)
        ]

        def order(point: Point) -> tuple[float, ...]:
            nan = math.isnan(point[0])
            return point[1], point[2], 0.0 if nan else point[0], nan != math.isnan(latest)

        return sorted(points, key=order)

    def _pages(self, query: Callable[..., Any], **arguments: Any) -> Iterator[Any]:
        token = None
        while True:
            page = query(max_results=PAGE, page_token=token, **arguments)
            yield from page
            token = page.token
            if not token:
                return

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what MLflow raises into one sentence."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            told = " ".join((error.message or type(error).__name__).split())
            raise PipelineError(f"{self.uri}: {told[:400]}") from error


def checked(content: dict[str, Any]) -> Run:
    """Return a run; a UsageError says what of it the history cannot hold."""
    try:
        return Run.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"the run {content['run_id']} cannot be kept: {where} is {first['input']!r} "
            f"({first['msg']})."
        ) from error


def _dataset(entity: Any) -> dict[str, Any]:
    known = entity.dataset.to_dictionary()
    tags = {tag.key: tag.value for tag in entity.tags}
    return {"schema": None, "profile": None, **known, "tags": tags}


def _model(entity: Any) -> dict[str, Any]:
    fields = ModelMetric.model_fields
    metrics = [{name: getattr(metric, name) for name in fields} for metric in entity.metrics or []]
    order = ("key", "timestamp", "step", "run_id")
    return {
        **{"model_id": entity.model_id, "name": entity.name, "type": entity.model_type},
        "status": str(entity.status),
        "status_message": entity.status_message,
        **{"created": entity.creation_timestamp, "updated": entity.last_updated_timestamp},
        **{"params": entity.params or {}, "tags": entity.tags or {}, "artifacts": []},
        "metrics": sorted(metrics, key=lambda metric: [str(metric[name]) for name in order]),
    }
