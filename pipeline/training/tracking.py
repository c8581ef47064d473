"""What a training says to MLflow: one parent run a task, one nested run a candidate."""

import getpass
import json
import logging
import os
import platform
import shutil
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.onnx
import numpy as np
import onnx
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)
from mlflow.models import Model, ModelSignature
from mlflow.types import DataType, Schema
from mlflow.types.schema import ColSpec, TensorSpec

import pipeline
from pipeline.data.fetch import Fetched
from pipeline.files import sha256_bytes, sha256_file
from pipeline.git import GitError, git
from pipeline.repo import Repo
from pipeline.schema import Feature, Kind, Task

LIBRARIES = (
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "skl2onnx",
    "onnx",
    "onnxruntime",
    "mlflow",
)
_STORE = "tracking"


@dataclass(frozen=True)
class Tracker:
    """One task's runs in a tracking store."""

    client: MlflowClient
    uri: str
    experiment: str

    @classmethod
    def open(cls, repo: Repo, task: Task) -> "Tracker":
        """Use the server in `MLFLOW_TRACKING_URI`, else a store of our own below `build/`."""
        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        if uri := os.environ.get("MLFLOW_TRACKING_URI"):
            return cls._experiment(uri, task, None)
        artifacts = repo.build / _STORE / "artifacts"
        marker = repo.build / _STORE / "place"
        # A store keeps absolute addresses: in a folder that was moved it must be made anew.
        if marker.is_file() and marker.read_text(encoding="utf-8") != str(repo.build):
            shutil.rmtree(repo.build / _STORE)
        artifacts.mkdir(parents=True, exist_ok=True)
        marker.write_text(str(repo.build), encoding="utf-8")
        uri = f"sqlite:///{(repo.build / _STORE / 'mlflow.db').as_posix()}"
        return cls._experiment(uri, task, artifacts.as_uri())

    @classmethod
    def _experiment(cls, uri: str, task: Task, artifacts: str | None) -> "Tracker":
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = client.get_experiment_by_name(task.name)
        identity = found.experiment_id if found else client.create_experiment(task.name, artifacts)
        return cls(client, uri, identity)

    def start(self, name: str, tags: dict[str, str], began: float | None = None) -> str:
        """Start a run at a time in seconds since the epoch and return its id."""
        milliseconds = int((began or time.time()) * 1000)
        run = self.client.create_run(self.experiment, milliseconds, tags, name)
        return str(run.info.run_id)

    def log(self, run: str, params: dict[str, Any], metrics: dict[str, float]) -> None:
        """Log params and metrics at one time; a metric whose value is a list has a step each."""
        now = int(time.time() * 1000)
        points = [
            Metric(name, float(value), now, step)
            for name, values in metrics.items()
            for step, value in enumerate(values if isinstance(values, list) else [values])
        ]
        self.client.log_batch(run, points, [Param(k, str(v)) for k, v in params.items()])

    def log_dataset(self, run: str, task: Task, fetched: Fetched) -> None:
        """Log the data set as the run's input: what and which it is, and none of its rows."""
        types = {"number": DataType.double, "category": DataType.string}
        columns = [ColSpec(types[feature.type], feature.name) for feature in task.features]
        target = DataType.double if task.kind is Kind.REGRESSION else DataType.string
        schema = Schema([*columns, ColSpec(target, task.target.name)])
        size = {"num_rows": len(fetched.table), "num_elements": int(fetched.table.size)}
        dataset = Dataset(
            task.name,
            fetched.digest[:32],
            "http",
            json.dumps({"url": task.homepage}),
            json.dumps({"mlflow_colspec": schema.to_dict()}),
            json.dumps(size),
        )
        context = InputTag("mlflow.data.context", "training")
        self.client.log_inputs(run, [DatasetInput(dataset, [context])])

    def log_artifacts(self, run: str, files: dict[str, bytes]) -> None:
        """Log files by name."""
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            self.client.log_artifacts(run, folder)

    def create_model(self, run: str, task: Task) -> str:
        """Begin a logged model of a run and return its id."""
        model = self.client.create_logged_model(
            self.experiment, name=task.name, source_run_id=run, model_type="onnx"
        )
        return str(model.model_id)

    def log_model(
        self, run: str, model_id: str, content: bytes, signature: ModelSignature, manifest: str
    ) -> None:
        """Give a logged model its files: MLflow's own around the ONNX file, and our manifest."""
        with tempfile.TemporaryDirectory(prefix="mlops-") as parent:
            folder = Path(parent) / "model"
            mlflow.onnx.save_model(
                onnx.load_from_string(content),
                folder,
                signature=signature,
                mlflow_model=Model(run_id=run, model_id=model_id),
                pip_requirements=[
                    f"{name}=={version(name)}" for name in ("mlflow", "onnx", "onnxruntime")
                ],
                onnx_execution_providers=["CPUExecutionProvider"],
                save_as_external_data=False,
            )
            (folder / "model.onnx").write_bytes(content)
            (folder / "manifest.json").write_text(manifest, encoding="utf-8")
            self.client.log_model_artifacts(model_id, str(folder))
        self.client.finalize_logged_model(model_id, "READY")
        self.client.log_outputs(run, [LoggedModelOutput(model_id, step=0)])

    def end(self, run: str, tags: dict[str, str], failed: bool = False) -> None:
        """End a run, FINISHED or FAILED."""
        self.client.log_batch(run, tags=[RunTag(key, value) for key, value in tags.items()])
        self.client.set_terminated(run, "FAILED" if failed else "FINISHED")


def signature(task: Task, features: list[Feature]) -> ModelSignature:
    """Return the model's inputs and outputs as MLflow writes them."""
    inputs = [
        TensorSpec(np.dtype("float32" if f.type == "number" else "str"), (-1, 1), f.name)
        for f in features
    ]
    if task.kind is Kind.REGRESSION:
        outputs = [TensorSpec(np.dtype("float32"), (-1, 1), "variable")]
    else:
        probabilities = (-1, len(task.target.classes))
        outputs = [
            TensorSpec(np.dtype("int64"), (-1,), "label"),
            TensorSpec(np.dtype("float32"), probabilities, "probabilities"),
        ]
    return ModelSignature(Schema(inputs), Schema(outputs))


def common_tags(repo: Repo) -> dict[str, str]:
    """Return the tags that every run of this training carries."""
    try:
        person = os.environ.get("GITHUB_ACTOR") or git(repo.root, "config", "user.name")
    except GitError:
        person = getpass.getuser()
    return {
        "mlflow.user": person,
        "mlflow.source.name": "pipeline train",
        "mlflow.source.type": "JOB",
        "mlflow.source.git.commit": git(repo.root, "rev-parse", "HEAD"),
    }


def parent_tags(repo: Repo, fetched: Fetched, dirty: list[str]) -> dict[str, str]:
    """Return the tags by which a task's training can be told apart from another, or repeated."""
    tags = {
        "git.branch": git(repo.root, "branch", "--show-current"),
        "git.dirty": str(bool(dirty)).lower(),
        "workflow.run_url": _workflow_url(),
        "data.origin": fetched.origin,
        "digest.data": fetched.digest,
        "digest.code": _digest_of_code(),
        "digest.params": sha256_file(repo.params),
        "version.python": platform.python_version(),
    } | {f"version.{name}": version(name) for name in LIBRARIES}
    requirements = repo.root / "requirements" / "pipeline.txt"
    if requirements.is_file():
        tags["digest.requirements"] = sha256_file(requirements)
    return {key: value for key, value in tags.items() if value}


def _workflow_url() -> str:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


def _digest_of_code() -> str:
    root = Path(pipeline.__file__).parent
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    return sha256_bytes("".join(f"{sha256_file(root / f)}  {f}\n" for f in files).encode())
