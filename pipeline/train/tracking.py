"""The runs of a training in MLflow: one parent run a task, one nested run a candidate.

A training logs to MLflow and imports its runs back, instead of writing `run.json`
itself, so that one importer serves notebooks and the pipeline alike: both write the
same form of history. It also lets `MLFLOW_TRACKING_URI` send the runs of a training to
a server, where they can be watched while it goes on.
"""

import logging
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.onnx
import numpy as np
import onnx
from mlflow import MlflowClient, entities
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.pandas_dataset import from_pandas
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema
from mlflow.types.schema import ColSpec, TensorSpec

from core.file_names import MANIFEST, MODEL
from core.onnx_model import OnnxModel
from pipeline.data.fetch import Dataset
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import tracking_store

REQUIREMENTS = ("mlflow", "onnx", "onnxruntime")
CHATTY_LOGGERS = ("mlflow", "alembic")
# The element types of an ONNX session, as numpy calls them.
_TYPES = {
    "tensor(float)": "float32",
    "tensor(string)": "str",
    "tensor(int64)": "int64",
}


class Tracker:
    """One task's runs in a tracking store, all on the same data."""

    def __init__(
        self, repo: Repo, task: Task, dataset: Dataset, experiment: str = ""
    ) -> None:
        """Use the server in `MLFLOW_TRACKING_URI`, else a store below `build/`.

        The experiment has the name of the task if it is not given.

        Raises:
            UsageError: the store keeps the experiment's artifacts in the history.
        """
        for name in CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        self.task = task
        self.dataset = dataset
        self.uri = tracking_store.address_of(repo)
        self.client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        self.experiment = self._experiment(repo, experiment or task.name)

    def _experiment(self, repo: Repo, name: str) -> str:
        """Return the ID of an experiment; a missing one is created.

        Raises:
            UsageError: it keeps its artifacts in the history.
        """
        experiment = self.client.get_experiment_by_name(name)
        if experiment:
            tracking_store.require_outside_history(repo, experiment)
            return str(experiment.experiment_id)
        artifacts = tracking_store.artifacts_of(repo, self.uri)
        return str(self.client.create_experiment(name, artifacts))

    def start(self, name: str, tags: dict[str, str], began: float) -> str:
        """Start a run on the data and return its ID.

        Args:
            name: the run's name.
            tags: its tags.
            began: when it began, in seconds since the epoch.
        """
        start_time = int(began * 1000)
        run = self.client.create_run(
            self.experiment,
            start_time=start_time,
            tags=tags,
            run_name=name,
        )
        run_id = str(run.info.run_id)
        # The description of the data set, and none of its rows.
        description = from_pandas(
            self.dataset.table,
            HTTPDatasetSource(self.task.homepage),  # type: ignore[no-untyped-call]
            name=self.task.name,
            digest=self.dataset.digest[:32],
        )
        dataset = entities.Dataset(**description.to_dict())
        context = entities.InputTag("mlflow.data.context", "training")
        inputs = [entities.DatasetInput(dataset, [context])]
        self.client.log_inputs(run_id, inputs)
        return run_id

    def log(
        self,
        run: str,
        params: dict[str, Any],
        metrics: Mapping[str, float | list[float]],
    ) -> None:
        """Log params and metrics; the values of a list are steps of one metric.

        The metrics' time is the run's start, and they have 6 digits: equal trainings
        differ in few bytes.
        """
        started = self.client.get_run(run)
        time = started.info.start_time
        points = []
        for name, value in metrics.items():
            steps = value if isinstance(value, list) else [value]
            for step, number in enumerate(steps):
                rounded = float(f"{number:.6g}")
                point = entities.Metric(name, rounded, time, step)
                points.append(point)
        texts = []
        for name, parameter in params.items():
            text = str(parameter)
            texts.append(entities.Param(name, text))
        self.client.log_batch(run, metrics=points, params=texts)

    def log_artifacts(self, run: str, files: dict[str, bytes]) -> None:
        """Log files by name."""
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            for name, content in files.items():
                path = Path(folder) / name
                path.write_bytes(content)
            self.client.log_artifacts(run, folder)

    def log_model(self, run: str, content: bytes, manifest: str) -> str:
        """Log a model and return its ID.

        Args:
            run: the run that it belongs to.
            content: the ONNX file.
            manifest: the content of `manifest.json`.
        """
        logged = self.client.create_logged_model(
            self.experiment,
            name=self.task.name,
            source_run_id=run,
        )
        model_id = str(logged.model_id)
        with tempfile.TemporaryDirectory(prefix="mlops-") as parent:
            folder = Path(parent) / "model"
            metadata = Model(run_id=run, model_id=model_id)
            _save(folder, content, metadata)
            model_file = folder / MODEL
            model_file.write_bytes(content)
            manifest_file = folder / MANIFEST
            manifest_file.write_bytes(manifest.encode())
            self.client.log_model_artifacts(model_id, str(folder))
        self.client.finalize_logged_model(model_id, "READY")
        output = entities.LoggedModelOutput(model_id, step=0)
        self.client.log_outputs(run, [output])
        return model_id

    def end(self, run: str, tags: dict[str, str], failed: bool = False) -> None:
        """Add tags to a run and end it, FINISHED or FAILED."""
        run_tags = []
        for key, value in tags.items():
            run_tags.append(entities.RunTag(key, value))
        self.client.log_batch(run, tags=run_tags)
        status = "FAILED" if failed else "FINISHED"
        self.client.set_terminated(run, status)


def _save(folder: Path, content: bytes, model: Model) -> None:
    """Write an ONNX file with MLflow's own files around it."""
    session = OnnxModel(content).session
    inputs = _schema(session.get_inputs())
    outputs = _schema(session.get_outputs())
    requirements = [f"{name}=={version(name)}" for name in REQUIREMENTS]
    mlflow.onnx.save_model(
        onnx.load_from_string(content),
        folder,
        signature=ModelSignature(inputs, outputs),
        mlflow_model=model,
        pip_requirements=requirements,
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
    )
    # MLflow opens its files as text, so on Windows lines end in CRLF.
    for path in folder.iterdir():
        written = path.read_bytes()
        path.write_bytes(written.replace(b"\r\n", b"\n"))


def _schema(entries: list[Any]) -> Schema:
    """Return an ONNX session's inputs or outputs as MLflow describes them."""
    specs: list[ColSpec | TensorSpec] = []
    for entry in entries:
        # The number of rows has a name in place of a size.
        shape = [size if isinstance(size, int) else -1 for size in entry.shape]
        dtype = np.dtype(_TYPES[entry.type])
        spec = TensorSpec(dtype, tuple(shape), entry.name)
        specs.append(spec)
    return Schema(specs)
