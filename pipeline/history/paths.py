"""Paths of the machine that logged a run: none of them may get into the history.

A text is such a path if the whole of it starts like one: `file:`, `C:/`, `\\\\server`, or a usual
root such as `/home/`; in the source of a data set and in `mlflow.source.name`, where MLflow itself
writes paths, any `/`. A text in which a path merely occurs is a text.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipeline.history.runfile import Run

ROOTS = "app|builds|content|data|home|mnt|opt|private|root|runner|srv|tmp|Users|usr|var|workspace"
CERTAIN = re.compile(rf"(file:|[A-Za-z]:[\\/]|\\\\\w|/({ROOTS})/).*")
LIKELY = re.compile(rf"/.*|{CERTAIN.pattern}")
BY_MLFLOW = "mlflow.source.name"
# Where MLflow writes the address of a model into the model itself; YAML may fold the line.
MODEL_FILE = "MLmodel"
MODEL_ADDRESS = re.compile(r"^artifact_path: *['\"]?(/|[\w+.-]+:).*(\n[ \t]+.*)*", re.MULTILINE)
Change = Callable[[str], str]


def change_paths(run: Run, change: Change) -> Run:
    """Return the run with every path of one machine changed by a function."""
    content = run.model_dump(by_alias=True)
    for owner in (content, *content["models"]):
        for texts in ("params", "tags"):
            owner[texts] = _changed(owner[texts], change, CERTAIN)
    for dataset in content["datasets"]:
        dataset["source"] = _changed_source(dataset["source"], change)
    return Run.model_validate(content)


def local_paths(run: Run) -> list[str]:
    """Return the paths of one machine that a run holds."""
    found: list[str] = []

    def note(path: str) -> str:
        found.append(path)
        return path

    change_paths(run, note)
    return found


def portable(path: str, root: Path | None) -> str:
    """Return a path relative to `root` where it lies within, else only its last part."""
    path = unquote(re.sub(r"^file:(//[^/]*)?", "", path)) if path.startswith("file:") else path
    path = path.replace("\\", "/").rstrip("/")
    if root and path.startswith(f"{root.as_posix()}/"):
        return path[len(root.as_posix()) + 1 :]
    return path.rpartition("/")[2]


def _changed_source(source: str, change: Change) -> str:
    """Change the paths within a data set's source, which MLflow writes as JSON."""
    try:
        parsed = json.loads(source)
    except ValueError:
        parsed = source
    changed = _changed(parsed, change, LIKELY)
    if changed == parsed:
        return source
    return changed if isinstance(changed, str) else json.dumps(changed)


def _changed(value: Any, change: Change, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, dict):
        patterns = {key: LIKELY if key == BY_MLFLOW else pattern for key in value}
        return {key: _changed(item, change, patterns[key]) for key, item in value.items()}
    if isinstance(value, list):
        return [_changed(item, change, pattern) for item in value]
    return change(value) if isinstance(value, str) and pattern.fullmatch(value) else value
