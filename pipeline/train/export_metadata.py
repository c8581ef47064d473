"""The description that `pipeline export` writes beside a model's files."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.errors import UsageError
from core.files import sha256_bytes, to_json, write_atomic
from history import registry
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train.past_run import PastRun


def read(path: Path, task: str) -> dict[str, Any]:
    """Return what an earlier export of a task wrote; nothing if there was none.

    Raises:
        UsageError: it describes another task's model, or is not a file of an export.
    """
    try:
        earlier = dict(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return {}
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is not what an export writes: move it away."
        ) from error
    other = earlier.get("task", task)
    if other != task:
        raise UsageError(
            f"{path} is of the task {other}, and models of one algorithm have one"
            " name: move it away first."
        )
    return earlier


def write(path: Path, description: dict[str, Any]) -> None:
    """Write the description."""
    write_atomic(path, to_json(description))


def describe(repo: Repo, task: Task, past: PastRun) -> dict[str, Any]:
    """Return the description of a run's model, without its files."""
    run_id = past.run.run_id
    features = [feature.name for feature in past.features(task)]
    return {
        "task": task.name,
        "algorithm": past.algorithm,
        "parameters": past.parameters,
        "seed": past.seed,
        "features": features,
        "target": task.target.name,
        "classes": list(task.target.classes),
        "metrics": past.holdout_metrics,
        "run_id": run_id,
        "registered_versions": _versions(repo, task, run_id),
        "commit": past.commit,
        "data_digest": past.data_digest,
        "python": platform.python_version(),
        "scikit_learn": version("scikit-learn"),
    }


def files(
    past: PastRun,
    earlier: dict[str, Any],
    path: Path,
    content: bytes,
) -> dict[str, Any]:
    """Return a new file's entry, beside those of earlier exports of the same run."""
    entries: dict[str, Any] = {}
    if earlier.get("run_id") == past.run.run_id:
        entries |= earlier["files"]
    digest = sha256_bytes(content)
    entries[path.name] = {"size": len(content), "sha256": digest}
    return entries


def _versions(repo: Repo, task: Task, run_id: str) -> list[int]:
    """Return the versions in the registry that are the run's model."""
    versions = []
    for entry in registry.versions(repo.mlruns, task.name):
        if entry.run_id == run_id:
            versions.append(entry.version)
    return versions
