"""What a training says to MLflow: one parent run a task, one nested run a candidate."""

import logging
import os
import platform
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.onnx
import numpy as np
import onnx
from mlflow import MlflowClient
from mlflow import entities as of
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.pandas_dataset import from_pandas
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema
from mlflow.types.schema import TensorSpec

import pipeline
from core.files import sha256_bytes, sha256_file
from core.git import git
from core.onnx_model import OnnxModel
from pipeline import workflow
from pipeline.data.fetch import Dataset
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import tracking_store

LIBRARIES = "scikit-learn numpy scipy pandas skl2onnx onnx onnxruntime mlflow".split()
_TYPES = {"tensor(float)": "float32", "tensor(string)": "str", "tensor(int64)": "int64"}


class Tracker:
    """One task's runs in a tracking store, all on the same data."""

    def __init__(self, repo: Repo, task: Task, fetched: Dataset) -> None:
        """Use the server in `MLFLOW_TRACKING_URI`, else a store of our own below
        `build/`.
        """
        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        self.task, self.fetched = task, fetched
        self.uri = tracking_store.address_of(repo)
        self.client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        self.experiment = self._experiment(repo)

    def _experiment(self, repo: Repo) -> str:
        """Return the id of the task's experiment, which is made if it is not there.

        Raises:
            UsageError: it is there, and keeps its artifacts in the history.
        """
        name = self.task.name
        if known := self.client.get_experiment_by_name(name):
            tracking_store.require_outside_history(repo, known)
            return str(known.experiment_id)
        return str(
            self.client.create_experiment(
                name, tracking_store.artifacts_of(repo, self.uri)
            )
        )

    def start(self, name: str, tags: dict[str, str], began: float) -> str:
        """Start a run on the data, at a time in seconds since the epoch, and return its
        id.
        """
        run = self.client.create_run(self.experiment, int(began * 1000), tags, name)
        # What the data set is, and none of its rows.
        data = from_pandas(
            self.fetched.table,
            HTTPDatasetSource(self.task.homepage),  # type: ignore[no-untyped-call]
            name=self.task.name,
            digest=self.fetched.digest[:32],
        )
        context = [of.InputTag("mlflow.data.context", "training")]
        inputs = [of.DatasetInput(of.Dataset(**data.to_dict()), context)]
        self.client.log_inputs(run.info.run_id, inputs)
        return str(run.info.run_id)

    def log(
        self,
        run: str,
        params: dict[str, Any],
        metrics: Mapping[str, float | list[float]],
    ) -> None:
        """Log params and metrics; the values of a list are steps of one metric.

        Their time is the run's start, and they have 6 digits: equal trainings differ in
        few bytes.
        """
        now = self.client.get_run(run).info.start_time
        points = [
            of.Metric(name, float(f"{value:.6g}"), now, step)
            for name, values in metrics.items()
            for step, value in enumerate(
                values if isinstance(values, list) else [values]
            )
        ]
        self.client.log_batch(
            run, points, [of.Param(k, str(v)) for k, v in params.items()]
        )

    def log_artifacts(self, run: str, files: dict[str, bytes]) -> None:
        """Log files by name."""
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            self.client.log_artifacts(run, folder)

    def log_model(self, run: str, content: bytes, manifest: str) -> str:
        """Log a model, MLflow's own files around the ONNX file and our manifest; return
        its id.
        """
        model = self.client.create_logged_model(self.experiment, self.task.name, run)
        model_id = str(model.model_id)
        session = OnnxModel(content).session
        signature = ModelSignature(
            _schema(session.get_inputs()), _schema(session.get_outputs())
        )
        needs = [
            f"{name}=={version(name)}" for name in ("mlflow", "onnx", "onnxruntime")
        ]
        with tempfile.TemporaryDirectory(prefix="mlops-") as parent:
            folder = Path(parent) / "model"
            mlflow.onnx.save_model(
                onnx.load_from_string(content),
                folder,
                signature=signature,
                mlflow_model=Model(run_id=run, model_id=model_id),
                pip_requirements=needs,
                onnx_execution_providers=["CPUExecutionProvider"],
                save_as_external_data=False,
            )
            for (
                path
            ) in folder.iterdir():  # MLflow writes text, which Windows ends its own way
                path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
            (folder / "model.onnx").write_bytes(content)
            (folder / "manifest.json").write_bytes(manifest.encode())
            self.client.log_model_artifacts(model_id, str(folder))
        self.client.finalize_logged_model(model_id, "READY")
        self.client.log_outputs(run, [of.LoggedModelOutput(model_id, step=0)])
        return model_id

    def end(self, run: str, tags: dict[str, str], failed: bool = False) -> None:
        """End a run, FINISHED or FAILED."""
        self.client.log_batch(
            run, tags=[of.RunTag(key, value) for key, value in tags.items()]
        )
        self.client.set_terminated(run, "FAILED" if failed else "FINISHED")


def _schema(entries: list[Any]) -> Schema:
    """Return an ONNX session's inputs or outputs as MLflow writes them."""
    shapes = [
        [size if isinstance(size, int) else -1 for size in e.shape] for e in entries
    ]
    types = [np.dtype(_TYPES[entry.type]) for entry in entries]
    return Schema(
        [TensorSpec(t, tuple(s), e.name) for t, s, e in zip(types, shapes, entries)]
    )


def common_tags(repo: Repo) -> dict[str, str]:
    """Return the tags that every run of this training carries."""
    author = git(repo.root, "log", "-1", "--format=%an")
    return {
        "mlflow.user": os.environ.get("GITHUB_ACTOR") or author,
        "mlflow.source.name": "pipeline train",
        "mlflow.source.type": "JOB",
        "mlflow.source.git.commit": git(repo.root, "rev-parse", "HEAD"),
    }


def parent_tags(repo: Repo, fetched: Dataset, dirty: list[str]) -> dict[str, str]:
    """Return the tags by which a task's training can be told apart from another, or
    repeated.
    """
    requirements = repo.root / "requirements" / "pipeline.txt"
    tags = {
        "git.branch": git(repo.root, "branch", "--show-current"),
        "git.dirty": str(bool(dirty)).lower(),
        "workflow.run_url": workflow.run_url(),
        "workflow.reason": os.environ.get("MLOPS_REASON", ""),
        "data.origin": fetched.origin,
        "digest.data": fetched.digest,
        "digest.code": _digest_of_code(),
        "digest.params": sha256_file(repo.params),
        "digest.requirements": (
            sha256_file(requirements) if requirements.is_file() else ""
        ),
        "version.python": platform.python_version(),
    } | {f"version.{name}": version(name) for name in LIBRARIES}
    return {key: value for key, value in tags.items() if value}


def _digest_of_code() -> str:
    root = Path(pipeline.__file__).parent
    files = [*root.rglob("*.py"), *root.rglob("*.yaml")]
    digests = {path.relative_to(root).as_posix(): sha256_file(path) for path in files}
    return sha256_bytes(
        "".join(f"{digests[f]}  {f}\n" for f in sorted(digests)).encode()
    )
