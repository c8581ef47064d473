"""The content of `deployment/release.json`, read from a commit and the images' digests.

Standard library only: the job that writes the file installs no package.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import PipelineError
from core.file_names import MANIFEST, MODEL, MODELS
from core.files import sha256_bytes, to_json
from core.git import git, git_bytes

FORMAT = 1
# The forms of what the file names, as regular expressions.
DIGEST = "[0-9a-f]{64}"
COMMIT = "[0-9a-f]{40}"
IMAGE = f"[a-z0-9][a-z0-9._:/-]*@sha256:{DIGEST}"

ModelEntries = dict[str, dict[str, Any]]
"""The version and the SHA-256 of each model, by task."""


def render(commit: str, images: dict[str, str], models: ModelEntries) -> str:
    """Return the text of the file.

    Args:
        commit: the commit that the images were built from.
        images: the images' addresses with their digests, by short name.
        models: the models that the commit holds; see `models_at`.
    """
    content = {
        "format": FORMAT,
        "commit": commit,
        "images": images,
        "models": models,
    }
    return to_json(content)


def models_at(folder: Path, commit: str) -> ModelEntries:
    """Return the models in service at a commit, as their files are in Git.

    Args:
        folder: a clone that holds the commit.

    Raises:
        PipelineError: a model has no readable manifest, or its file is missing.
    """
    options = ("-r", "-z", "--name-only", "--full-tree")
    listing = git(folder, "ls-tree", *options, commit, f"{MODELS}/")
    entries: ModelEntries = {}
    for name in listing.split("\0"):
        path = PurePosixPath(name)
        if path.name == MANIFEST:
            entries[path.parent.name] = _entry(folder, commit, path)
    return entries


def _entry(folder: Path, commit: str, manifest_path: PurePosixPath) -> dict[str, Any]:
    model_path = manifest_path.parent / MODEL
    try:
        text = git_bytes(folder, "cat-file", "blob", f"{commit}:{manifest_path}")
        model = git_bytes(folder, "cat-file", "blob", f"{commit}:{model_path}")
        version = json.loads(text)["version"]
    except (PipelineError, ValueError, LookupError, TypeError) as error:
        raise PipelineError(
            f"{manifest_path.parent} of commit {commit[:12]} holds no complete model"
            f" ({MODEL} and a {MANIFEST} with its version): run `pipeline history"
            " verify`."
        ) from error
    return {"version": version, "sha256": sha256_bytes(model)}
