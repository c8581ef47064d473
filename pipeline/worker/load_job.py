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
        PipelineError: there is no such model, the task has none in service yet, the
            model's files are damaged, or the folder cannot be written.
    """
    files, manifest = _find(repo, state, request)
    served = repo.models / manifest.task / MANIFEST
    if not served.is_file():
        raise UsageError(
            f"{manifest.task} has no model in service yet: publish one first."
        )
    path = files / MODEL
    content = path.read_bytes()
    if sha256_bytes(content) != manifest.sha256:
        raise PipelineError(
            f"{path}: is not the file that its manifest names; restore it."
        )
    served_digest = sha256_file(served)
    loaded = Manifest.of(manifest, loaded_over=served_digest)
    target = state / "loaded" / manifest.task
    _write(target, content, loaded)
    answer = loaded.model_dump(include=ANSWERED)
    answer["metrics"] = loaded.metric_values()
    return answer


def _write(target: Path, content: bytes, loaded: Manifest) -> None:
    """Write a model and its manifest.

    Raises:
        PipelineError: the folder cannot be written.
    """
    try:
        # The manifest last: until it is there, the digests show that the two files do
        # not belong together.
        write_atomic(target / MODEL, content)
        write_atomic(target / MANIFEST, loaded.render())
    except OSError as error:
        raise PipelineError(
            f"{target}: no model can be loaded here ({error.strerror}): put the version"
            " into service with `pipeline promote`."
        ) from error


def _find(repo: Repo, state: Path, request: JobRequest) -> tuple[Path, Manifest]:
    """Return the folder and the manifest of the requested model.

    Raises:
        UsageError: there is no such model.
    """
    history = open_history(repo)
    versions = _versions(history, request)
    matching = [entry for entry in versions if _is_wanted(entry, request)]
    if matching:
        promotion = matching[-1]
        files = history.model_folder(promotion.run_id, promotion.model_id)
        path = files / MANIFEST
        if path.is_file():
            manifest = served_manifest(history, promotion)
            return files, manifest
    else:
        files = state / "trained" / str(request.run_id)
        trained = _trained(files, request)
        if trained:
            return files, trained
    raise _not_found(request, versions)


def _trained(files: Path, request: JobRequest) -> Manifest | None:
    """Return the manifest that a "train" job left, if it is of the requested task."""
    path = files / MANIFEST
    if not path.is_file():
        return None
    manifest = Manifest.read(path)
    if request.task and request.task != manifest.task:
        return None
    return manifest


def _not_found(request: JobRequest, versions: list[Promotion]) -> UsageError:
    names = [f"{entry.model} {entry.version}" for entry in versions]
    choice = ", ".join(names) or "none"
    place = request.task or "the registry"
    wanted = f"version {request.version}"
    if request.run_id:
        wanted = f"run {request.run_id}"
    return UsageError(f"{place} has no {wanted}; the versions are: {choice}.")


def _versions(history: History, request: JobRequest) -> list[Promotion]:
    """Return the versions from which a model is chosen."""
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
