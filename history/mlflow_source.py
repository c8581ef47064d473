"""Reads runs from an MLflow store or server through MLflow's client."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from core.errors import PipelineError, UsageError
from core.redact import redact_address
from history import address, layout
from history import mlflow_description as description
from history import mlflow_rows

PAGE = 1000
# MLflow's codes for a missing run: an unknown ID, and a text that is not an ID.
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# Precedes the first file in MLflow's list of those that it could not download.
FAILED_FILE = "##### File "


class UnreadableRunError(PipelineError):
    """A run or its files cannot be read; the text continues "the run X"."""


@contextmanager
def connect(uri: str, mlruns: Path) -> Iterator["Store"]:
    """Open an MLflow store or server.

    Args:
        uri: `sqlite:///file.db`, a folder, or `http://host:port`.
        mlruns: where the server of a SQLite file keeps the artifacts of
            `mlflow-artifacts:` addresses.

    Raises:
        UsageError: the database or folder does not exist, or is not MLflow's, or only
            a server knows where the files of its runs are. Nothing is written.
        PipelineError: MLflow raised an error while the store was open.
    """
    address.use_settings()
    with address.settings_for(uri), address.one_sentence(uri):
        yield _open(uri, mlruns)


def _open(uri: str, mlruns: Path) -> "Store":
    from mlflow import MlflowClient

    try:
        address.require_mlflow(uri)
        client = MlflowClient(uri, registry_uri=uri)
        if address.is_shared_database(uri):
            _require_known_artifacts(uri, client)
        return Store(uri, mlruns, client)
    except ValueError as error:
        reason = address.message_of(error, uri)
        raise UsageError(
            f"{redact_address(uri)}: is not the address of a store ({reason})."
        ) from error


def _require_known_artifacts(uri: str, client: Any) -> None:
    """Refuse a database that does not say where the files of its runs are."""
    for experiment in client.search_experiments():
        if str(experiment.artifact_location).startswith(layout.URI_SCHEME):
            raise UsageError(
                f"{redact_address(uri)}: only the MLflow server that uses this database"
                " knows where the files of its runs are: name the server, http://HOST:PORT."
            )


class Store:
    """The content of an MLflow store or server; `connect` opens one."""

    def __init__(
        self,
        uri: str,
        mlruns: Path,
        client: Any,
    ) -> None:
        self.uri = uri
        self.client = client
        self._mlruns = mlruns
        self._experiments: dict[str, str] = {}  # the name by ID
        self._models: dict[str, list[Any]] = defaultdict(list)  # by their run's ID
        self._owners: dict[str, str] = {}  # the run that logged a model, by model ID
        for experiment in self.pages(client.search_experiments):
            self._experiments[experiment.experiment_id] = experiment.name
        models = self.pages(
            client.search_logged_models, experiment_ids=self.experiments
        )
        for model in models:
            run_id = model.source_run_id
            if run_id:
                self._models[run_id].append(model)
                self._owners[model.model_id] = run_id

    @property
    def experiments(self) -> list[str]:
        """The IDs of the active experiments."""
        return list(self._experiments)

    def runs(self, condition: str = "") -> Iterator[Any]:
        """Yield MLflow's entity of every active run that meets a condition, by age."""
        return self.pages(
            self.client.search_runs,
            experiment_ids=self.experiments,
            filter_string=condition,
            order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
        )

    def is_kept(self, entity: Any) -> bool:
        """Return whether a build took the run from the history into this store."""
        uri = str(entity.info.artifact_uri)
        if not layout.is_history_uri(uri):
            return False
        path = uri.removeprefix(layout.URI_SCHEME)
        path = path.removesuffix(f"/{layout.ARTIFACTS}")
        run_file = self._mlruns / path / layout.RUN_FILE
        return run_file.is_file()

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
        """Return MLflow's entity of a run, or None if the store has no such run."""
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            return None

    def needs(self, run: Any) -> dict[str, str]:
        """Return the runs that a run cannot be understood without.

        The keys are run IDs, the values what each is to the run.
        """
        needed = {}
        parent = run.data.tags.get(mlflow_rows.PARENT_TAG)
        if parent:
            needed[parent] = "its parent"
        links = [*run.inputs.model_inputs, *run.outputs.model_outputs]
        for link in links:
            owner = self._owners.get(link.model_id)
            if owner:
                needed.setdefault(owner, "the run whose model it uses")
        needed.pop(run.info.run_id, None)
        return needed

    def children(self, run_id: str) -> list[str]:
        """Return the IDs of the active runs whose parent this is, oldest first."""
        condition = f"tags.`{mlflow_rows.PARENT_TAG}` = '{run_id}'"
        children = self.runs(condition)
        return [str(child.info.run_id) for child in children]

    def require_answer(self) -> None:
        """Raise MLflow's error if the store does not answer any more."""
        self.client.search_experiments(max_results=1)

    def describe(self, entity: Any) -> dict[str, Any]:
        """Return the content of a run's `run.json`, without the lists of its files.

        Links to models that are deleted, or that no run has logged, are left out.
        """
        info = entity.info
        experiment = self._experiments[info.experiment_id]
        metrics = {}
        for key, latest in entity.data.metrics.items():
            points = self.client.get_metric_history(info.run_id, key)
            metrics[key] = description.points(points, info.start_time, latest)
        inputs = {link.model_id for link in entity.inputs.model_inputs}
        outputs = []
        for link in entity.outputs.model_outputs:
            if link.model_id in self._owners:
                outputs.append(link.to_dictionary())
        models = []
        for model in self._models[info.run_id]:
            models.append(description.model(model))
        content = description.run(entity, experiment, metrics)
        logged = inputs & self._owners.keys()
        content["model_inputs"] = sorted(logged)
        content["model_outputs"] = sorted(outputs, key=description.model_id)
        content["models"] = sorted(models, key=description.model_id)
        return content

    def download(self, entity: Any, folder: Path) -> None:
        """Copy the files of a run and its models, laid out as in the history.

        Raises:
            UnreadableRunError: one of them is not available.
        """
        info = entity.info
        places = {str(info.artifact_uri): folder / layout.ARTIFACTS}
        for model in self._models[info.run_id]:
            place = folder / layout.MODELS / model.model_id
            places[str(model.artifact_location)] = place
        for uri, place in places.items():
            try:
                self._download(uri, place)
            except Exception as error:  # of MLflow, or of any library below it
                message = address.message_of(error, uri)
                before, _, after = message.partition(FAILED_FILE)
                reason = after or before
                raise UnreadableRunError(
                    f"cannot be read: its files at {redact_address(uri)}: {reason}"
                ) from error

    def _download(self, uri: str, folder: Path) -> None:
        from mlflow.store.artifact.artifact_repository_registry import (
            get_artifact_repository,
        )

        is_server = self.uri.startswith("http")
        if uri.startswith(layout.URI_SCHEME) and not is_server:
            place = self._mlruns / uri.removeprefix(layout.URI_SCHEME)
            uri = place.absolute().as_uri()
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


def _listed(repository: Any, folder: str | None = None) -> Iterator[str]:
    """Yield the paths of all files and folders of an artifact repository."""
    for entry in repository.list_artifacts(folder):
        yield entry.path
        if entry.is_dir:
            yield from _listed(repository, entry.path)
