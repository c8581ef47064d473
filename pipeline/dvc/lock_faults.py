"""Whether `dvc.lock` agrees with the files that it was made from, and with the champion.

It may describe another training than the champion's: a challenger may have lost. But
the same parameters, data and code have one model.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from core.errors import PipelineError
from core.file_names import MANIFEST
from core.files import sha256_bytes
from core.git import git, succeeds
from core.manifest import Manifest
from history.faults import Fault
from pipeline.data.unpack import unpacked
from pipeline.dvc.lock_file import NAME, PARAMS, Lock
from pipeline.repo import Repo
from pipeline.stages.folder import MODEL_DIGEST, TABLE_DIGEST
from pipeline.yaml_file import read_yaml

# What decides a model besides its parameters and its data.
CODE = ("core", "pipeline", "requirements/pipeline.txt")
ABSENT = "no value"


def find_faults(repo: Repo) -> list[Fault]:
    """Return what disagrees with `dvc.lock`; nothing if there is none."""
    try:
        lock = Lock.read(repo.root)
        if lock is None:
            return []
        current = read_yaml(repo.params, PARAMS)
    except PipelineError as error:
        reason = str(error).removeprefix(f"{NAME}: ")
        return [Fault(NAME, reason.rstrip("."))]
    faults = []
    for task in lock.tasks():
        checks = (
            _other_params(lock, task, current),
            _other_data(lock, task, repo),
            _other_model(lock, task, repo),
        )
        faults += [Fault(NAME, reason) for reason in checks if reason]
    return faults


def _other_params(lock: Lock, task: str, current: dict[str, Any]) -> str:
    """Return which parameter of a task is another one in `params.yaml`."""
    for path, old in lock.params(task).items():
        for place, before, now in _differences(path, old, _value(current, path)):
            return (
                f"{task} was run with {place} = {before}, and {PARAMS} has {now}: run"
                f" `dvc repro` and commit {NAME}"
            )
    return ""


def _other_data(lock: Lock, task: str, repo: Repo) -> str:
    path = repo.data / f"{task}.csv.gz"
    if not path.is_file():
        return ""
    digest = sha256_bytes(unpacked(path.read_bytes()))
    if lock.has_digest("prepare", task, TABLE_DIGEST, digest):
        return ""
    return (
        f"{task} was run with another table than data/{path.name}: run `dvc repro` and"
        f" commit {NAME}"
    )


def _other_model(lock: Lock, task: str, repo: Repo) -> str:
    """Return how the model differs from the champion of the same training."""
    path = repo.models / task / MANIFEST
    if not path.is_file():
        return ""
    champion = Manifest.read(path)
    if lock.has_digest("evaluate", task, MODEL_DIGEST, champion.sha256):
        return ""
    digest = ""
    if champion.data:
        digest = champion.data.digest
    if not lock.has_digest("prepare", task, TABLE_DIGEST, digest):
        return ""
    if not _is_same_training(lock, task, repo.root, champion.commit):
        return ""
    return (
        f"{task} has another model than version {champion.version} in service, which"
        f" commit {champion.commit[:12]} gave with the same parameters, data and code:"
        f" `pipeline reproduce {task}` shows which is right; run `dvc repro --force` and"
        f" commit {NAME}"
    )


def _is_same_training(lock: Lock, task: str, root: Path, commit: str) -> bool:
    """Return whether a commit has the parameters of the lock file and today's code."""
    if not succeeds(root, "cat-file", "-e", f"{commit}:{PARAMS}"):
        return False
    if not succeeds(root, "diff", "--quiet", commit, "--", *CODE):
        return False
    text = git(root, "show", f"{commit}:{PARAMS}")
    then = yaml.safe_load(text)
    for path, value in lock.params(task).items():
        if _value(then, path) != value:
            return False
    return True


def _value(content: Any, path: str) -> Any:
    """Return the value at a dotted path; None if there is none."""
    for key in path.split("."):
        if not isinstance(content, dict):
            return None
        content = content.get(key)
    return content


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield each value that differs: its path, the old and the new value."""
    if old == new:
        return
    has_keys = isinstance(old, dict) and isinstance(new, dict)
    if not has_keys:
        yield path, old, new
        return
    added = [key for key in new if key not in old]
    for key in [*old, *added]:
        before = old.get(key, ABSENT)
        after = new.get(key, ABSENT)
        yield from _differences(f"{path}.{key}", before, after)
