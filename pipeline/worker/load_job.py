"""The job "load": serve a chosen model until the next one is published."""

from pathlib import Path
from typing import Any

from core.errors import PipelineError, UsageError
from core.file_names import MANIFEST, MODEL
from core.files import sha256_bytes, sha256_file, write_atomic
from core.jobs import JobRequest
from core.manifest import Manifest
from history import History, Promotion
from pipeline.publish.record import served_manifest
from pipeline.repo import Repo
from pipeline.verification import open_history

ANSWERED = {"task", "version", "run_id", "algorithm", "sha256"}


def run(repo: Repo, state: Path, request: JobRequest) -> dict[str, Any]:
    """Copy a model to where the API looks for loaded ones; return which it is.

    Args:
        repo: the checkout with the registry.
        state: the folder that the worker shares with the API.
        request: the model: a `task` with a `version`, or a `run_id`.

    Raises:
        PipelineError: there is no such model, the task has none in service yet, or the
            model's files are damaged.
    """
    files, manifest = _find(repo, state, request)
    served = repo.models / manifest.task / MANIFEST
    if not served.is_file():
        raise UsageError(
            f"{manifest.task} has no model in service yet: publish one first."
        )
    content = (files / MODEL).read_bytes()
    if sha256_bytes(content) != manifest.sha256:
        raise PipelineError(
            f"{files / MODEL}: is not the file that its manifest names; restore it."
        )
    loaded = Manifest.of(manifest, loaded_over=sha256_file(served))
    target = state / "loaded" / manifest.task
    # The manifest last: until it is there, the digests show that the two files do not
    # belong together.
    write_atomic(target / MODEL, content)
    write_atomic(target / MANIFEST, loaded.render())
    return loaded.model_dump(include=ANSWERED) | {"metrics": loaded.metric_values()}


def _find(repo: Repo, state: Path, request: JobRequest) -> tuple[Path, Manifest]:
    """Return the folder and the manifest of the model that is asked for.

    Raises:
        UsageError: there is no such model.
    """
    history = open_history(repo)
    versions = _versions(history, request)
    matching = [entry for entry in versions if _is_wanted(entry, request)]
    files = state / "trained" / str(request.run_id)
    if matching:
        promotion = matching[-1]
        files = history.model_folder(promotion.run_id, promotion.model_id)
        if (files / MANIFEST).is_file():
            return files, served_manifest(history, promotion)
    elif (files / MANIFEST).is_file():
        manifest = Manifest.read(files / MANIFEST)
        if request.task in ("", manifest.task):
            return files, manifest
    known = [f"{entry.model} {entry.version}" for entry in versions]
    place = request.task or "the registry"
    wanted = f"version {request.version}"
    if request.run_id:
        wanted = f"run {request.run_id}"
    raise UsageError(
        f"{place} has no {wanted}; the versions are: {', '.join(known) or 'none'}."
    )


def _versions(history: History, request: JobRequest) -> list[Promotion]:
    """Return the versions among which a model is looked for."""
    if request.task:
        return history.promotions(request.task)
    if not request.run_id:
        return []
    versions: list[Promotion] = []
    for model in history.models():
        versions += history.promotions(model)
    return versions


def _is_wanted(entry: Promotion, request: JobRequest) -> bool:
    if request.run_id:
        return entry.run_id == request.run_id
    return entry.version == request.version
