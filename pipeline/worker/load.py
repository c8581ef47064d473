"""A job: put a model into service by hand, until the next is published."""

import json
from pathlib import Path

from core.errors import PipelineError, UsageError
from core.files import sha256_bytes, sha256_file, to_json, write_atomic
from history import registry
from history.verify import MANIFEST, MODEL
from pipeline.publish.record import model_folder, served_manifest
from pipeline.repo import Repo
from pipeline.worker.jobs import Json, Request


def run(repo: Repo, state: Path, request: Request) -> Json:
    """Copy the files of a `task`'s `version`, or of a `run_id`, to where the API looks
    for them.

    Raises PipelineError: there is no such model, none in service yet, or its files are
    damaged.
    """
    task, run_id, wanted = (
        request.task,
        request.run_id,
        request.run_id or request.version,
    )
    models = [task] if task else registry.models(repo.mlruns) if run_id else []
    known = [
        entry for model in models for entry in registry.versions(repo.mlruns, model)
    ]
    found = [
        entry
        for entry in known
        if wanted == (entry.run_id if run_id else entry.version)
    ]
    files = model_folder(repo, found[-1]) if found else state / "trained" / str(run_id)
    manifest = (
        json.loads((files / MANIFEST).read_bytes())
        if (files / MANIFEST).is_file()
        else {}
    )
    if not manifest or task not in ("", manifest["task"]):
        held = ", ".join(f"{entry.model} {entry.version}" for entry in known) or "none"
        what = f"run {run_id}" if run_id else f"version {wanted}"
        raise UsageError(
            f"{task or 'the registry'} has no {what}; the versions are: {held}."
        )
    if found:
        manifest = served_manifest(repo, files, found[-1])
    served, content = (
        repo.models / manifest["task"] / MANIFEST,
        (files / MODEL).read_bytes(),
    )
    if not served.is_file():
        raise UsageError(
            f"{manifest['task']} has no model in service yet: publish one first."
        )
    if sha256_bytes(content) != manifest["sha256"]:
        raise PipelineError(
            f"{files / MODEL}: is not the file that its manifest says; restore it."
        )
    target = state / "loaded" / manifest["task"]
    # The manifest last: until it is there, a reader sees that the two do not belong
    # together.
    write_atomic(target / MODEL, content)
    write_atomic(
        target / MANIFEST, to_json(manifest | {"loaded_over": sha256_file(served)})
    )
    about = {
        key: manifest[key]
        for key in ("task", "version", "run_id", "algorithm", "sha256")
    }
    metrics = manifest["holdout"]["metrics"]
    return about | {
        "metrics": {name: found["value"] for name, found in metrics.items()}
    }
