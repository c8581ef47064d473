"""Paths of the machine that logged a run, none of which may get into the history.

A text is such a path if it starts like one: with `file:`, `C:/`, `\\\\server`, or a
usual root such as `/home/`. In the source of a data set and in `mlflow.source.name`,
where MLflow itself writes paths, any `/` is enough. A text that merely contains a path
stays as it is.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from history.runfile import Run

ROOTS = "app|builds|content|data|home|mnt|opt|private|root|runner|srv|tmp|Users|usr|var|workspace"
CERTAIN = re.compile(rf"(file:|[A-Za-z]:[\\/]|\\\\\w|/({ROOTS})/).*")
LIKELY = re.compile(rf"/.*|{CERTAIN.pattern}")
BY_MLFLOW = "mlflow.source.name"
FILE_SCHEME = re.compile(r"^file:(//[^/]*)?(/(?=[A-Za-z]:))?")
JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
# MLflow writes the address of a model into the model itself; YAML may fold the line.
MODEL_FILE = "MLmodel"
MODEL_ADDRESS = re.compile(
    r"^artifact_path: *['\"]?(/|[\w+.-]+:).*(\n[ \t]+.*)*", re.MULTILINE
)
Change = Callable[[str], str]


def change_paths(content: dict[str, Any], change: Change) -> None:
    """Change every path of one machine in the content of a `run.json` by a function."""
    for owner in (content, *content["models"]):
        _change_texts(owner["params"], change)
        _change_texts(owner["tags"], change)
    for dataset in content["datasets"]:
        dataset["source"] = _change_source(dataset["source"], change)


def _change_texts(texts: dict[str, str], change: Change) -> None:
    for key, text in texts.items():
        pattern = LIKELY if key == BY_MLFLOW else CERTAIN
        if pattern.fullmatch(text):
            texts[key] = change(text)


def local_paths(run: Run) -> list[str]:
    """Return the paths of one machine that a run holds."""
    paths: list[str] = []

    def note(path: str) -> str:
        paths.append(path)
        return path

    change_paths(run.model_dump(by_alias=True), note)
    return paths


def portable(path: str, root: Path | None) -> str:
    """Return a path relative to `root` if it lies there, else only its last part."""
    if path.startswith("file:"):
        path = FILE_SCHEME.sub("", path)
        path = unquote(path)
    path = path.replace("\\", "/")
    path = path.rstrip("/")
    if root:
        start = f"{root.as_posix()}/"
        if path.startswith(start):
            return path.removeprefix(start)
    _, _, name = path.rpartition("/")
    return name


def _change_source(source: str, change: Change) -> str:
    """Change the paths in a data set's source: each text of MLflow's JSON, or the whole."""
    try:
        json.loads(source)
    except ValueError:
        if LIKELY.fullmatch(source):
            return change(source)
        return source

    def change_text(match: re.Match[str]) -> str:
        text = json.loads(match[0])
        if LIKELY.fullmatch(text):
            return json.dumps(change(text))
        return match[0]

    return JSON_TEXT.sub(change_text, source)
