"""Paths of the machine that logged a run: none of them may get into the history.

A text is such a path if the whole of it starts like one: `file:`, `C:/`, `\\\\server`,
or a usual root such as `/home/`; in the source of a data set and in
`mlflow.source.name`, where MLflow itself writes paths, any `/`. A text in which a path
merely occurs is a text.
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
JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
# Where MLflow writes the address of a model into the model itself; YAML may fold the
# line.
MODEL_FILE = "MLmodel"
MODEL_ADDRESS = re.compile(
    r"^artifact_path: *['\"]?(/|[\w+.-]+:).*(\n[ \t]+.*)*", re.MULTILINE
)
Change = Callable[[str], str]


def change_paths(content: dict[str, Any], change: Change) -> None:
    """Change every path of one machine in the content of a `run.json` by a function."""
    for owner in (content, *content["models"]):
        for texts in (owner["params"], owner["tags"]):
            for key, text in texts.items():
                if (LIKELY if key == BY_MLFLOW else CERTAIN).fullmatch(text):
                    texts[key] = change(text)
    for dataset in content["datasets"]:
        dataset["source"] = _change_source(dataset["source"], change)


def local_paths(run: Run) -> list[str]:
    """Return the paths of one machine that a run holds."""
    found: list[str] = []

    def note(path: str) -> str:
        found.append(path)
        return path

    change_paths(run.model_dump(by_alias=True), note)
    return found


def portable(path: str, root: Path | None) -> str:
    """Return a path relative to `root` where it lies within, else only its last part."""
    if path.startswith("file:"):
        path = unquote(re.sub(r"^file:(//[^/]*)?(/(?=[A-Za-z]:))?", "", path))
    path = path.replace("\\", "/").rstrip("/")
    if root and path.startswith(f"{root.as_posix()}/"):
        return path[len(root.as_posix()) + 1 :]
    return path.rpartition("/")[2]


def _change_source(source: str, change: Change) -> str:
    """Change the paths within a data set's source: in MLflow's JSON each text, else the
    whole.
    """
    try:
        json.loads(source)
    except ValueError:
        return change(source) if LIKELY.fullmatch(source) else source

    def change_text(found: re.Match[str]) -> str:
        text = json.loads(found[0])
        return json.dumps(change(text)) if LIKELY.fullmatch(text) else found[0]

    return JSON_TEXT.sub(change_text, source)
