"""Real small histories to test with: stores that MLflow opens, and run folders written
straight.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from mlflow import MlflowClient

from core.files import sha256_bytes, write_atomic
from history import (
    Fault,
    History,
    Project,
    build_database,
    import_runs,
    layout,
    registry,
    runfile,
)
from history.registry import Promotion
from history.runfile import Run

STARTED = 1_795_000_000_000
DAY_MS = 24 * 3600 * 1000

DATASET = {
    "name": "d",
    "digest": "1",
    "source_type": "http",
    "source": "{}",
    "schema": None,
    "profile": None,
    "tags": {"k": "v"},
}


class Workspace:
    """A folder with a history, models in service and a place for databases."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.mlruns = self.root / "mlruns"
        self.models = self.root / "deployment" / "models"
        self.build = self.root / "build"

    def history(self) -> History:
        """Open the history."""
        project = Project(
            models=self.models,
            companions=("data", "results"),
            source_root=self.root,
        )
        return History.open(self.mlruns, project)


def new_workspace(root: Path) -> Workspace:
    """Return an empty checkout, which the pipeline's commands accept too."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text("seed: 42\n")
    (root / "mlruns").mkdir()
    return Workspace(root)


def verify(
    workspace: Workspace,
    run_ids: list[str] | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[Fault]:
    """Return the faults of a history."""
    with workspace.history() as history:
        return history.verify(run_ids, notice)


def import_into(
    workspace: Workspace,
    uri: str,
    run_ids: list[str] | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[Path]:
    """Import runs of a store and return their folders."""
    with workspace.history() as history:
        return import_runs(uri, history, run_ids, notice)


def new_store(
    folder: Path,
    experiment: str = "housing",
) -> tuple[str, MlflowClient, str]:
    """Return the address, the client and the experiment's id of an empty MLflow store."""
    folder.mkdir(parents=True, exist_ok=True)
    build_database(folder / "no-history", folder / "mlflow.db")
    uri = f"sqlite:///{(folder / 'mlflow.db').as_posix()}"
    client = MlflowClient(uri, registry_uri=uri)
    return (
        uri,
        client,
        client.create_experiment(experiment, (folder / "artifacts").as_uri()),
    )


def add_run(
    mlruns: Path,
    files: dict[str, bytes] | None = None,
    models: dict[str, dict[str, bytes]] | None = None,
    **changes: Any,
) -> Run:
    """Write a run folder with artifacts and with models by ID, each with its files."""
    run = new_run(files or {}, models or {}, changes)
    folder = layout.day_folder(mlruns, run.experiment, run.started) / run.run_id
    for path, content in (files or {}).items():
        write_atomic(folder / layout.ARTIFACTS / path, content)
    for model_id, listed in (models or {}).items():
        for path, content in listed.items():
            write_atomic(folder / layout.MODELS / model_id / path, content)
    write_atomic(folder / layout.RUN_FILE, runfile.dump(run))
    return run


def new_run(
    files: dict[str, bytes],
    models: dict[str, dict[str, bytes]],
    changes: dict[str, Any],
) -> Run:
    """Return a run with these artifacts and models, and with some fields changed."""
    content = {
        "format": 1,
        "run_id": uuid4().hex,
        "experiment": "housing",
        "name": "a run",
        "parent": None,
        "status": "FINISHED",
        "lifecycle_stage": "active",
        "started": STARTED,
        "ended": STARTED + 1000,
        "user": "ann",
        "params": {"depth": "12"},
        "metrics": {"rmse": [(0.5, 0, 0)]},
        "tags": {"mlflow.runName": "a run"},
        "datasets": [],
        "model_inputs": [],
        "model_outputs": [{"model_id": model_id, "step": 0} for model_id in models],
        "models": [_model(model_id, listed) for model_id, listed in models.items()],
        "artifacts": _listed(files),
    }
    return Run.model_validate(content | changes)


def _model(model_id: str, files: dict[str, bytes]) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "name": "model",
        "type": None,
        "status": "READY",
        "status_message": None,
        "created": STARTED,
        "updated": STARTED,
        "params": {},
        "tags": {},
        "metrics": [],
        "artifacts": _listed(files),
    }


def _listed(files: dict[str, bytes]) -> list[dict[str, object]]:
    return [
        {
            "path": path,
            "sha256": sha256_bytes(content),
            "size": len(content),
        }
        for path, content in sorted(files.items())
    ]


def model_id() -> str:
    """Return the id of a new logged model."""
    return f"m-{uuid4().hex}"


def promote(
    workspace: Workspace,
    run: Run,
    model: str = "housing",
    **changes: Any,
) -> Promotion:
    """Promote a run's first model and put it into service."""
    version = len(registry.versions(workspace.mlruns, model)) + 1
    logged = run.models[0]
    file = next(file for file in logged.artifacts if file.path == "model.onnx")
    content = {
        "format": 1,
        "model": model,
        "version": version,
        "run_id": run.run_id,
        "model_id": logged.model_id,
        "sha256": file.sha256,
        "size": file.size,
        "promoted": STARTED + version,
        "commit": "c" * 40,
        "decided_by": "gate",
        "reason": "better",
        "checks": [],
        "metrics": {"rmse": 0.5},
        "replaces": version - 1 or None,
        **changes,
    }
    promotion = Promotion.model_validate(content)
    path = registry.path_of(workspace.mlruns, model, version)
    write_atomic(path, registry.dump(promotion))
    _put_into_service(workspace, promotion)
    return promotion


def _put_into_service(workspace: Workspace, promotion: Promotion) -> None:
    """Write the files of a promoted model where the API reads them."""
    folders = layout.run_folders(workspace.mlruns)
    run_folder = folders[promotion.run_id]
    source = run_folder / layout.MODELS / promotion.model_id / "model.onnx"
    served = workspace.models / promotion.model
    write_atomic(served / "model.onnx", source.read_bytes())
    version = promotion.version
    manifest = f'{{"version": {version}, "run_id": "{promotion.run_id}"}}'
    write_atomic(served / "manifest.json", manifest)


def query(database: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Ask a database."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()
