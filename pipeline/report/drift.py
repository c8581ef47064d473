"""What the running API says of drift, as a page a task with a picture of each
distribution.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from core.environment import is_ours
from core.errors import PipelineError, UsageError
from core.files import write_atomic
from pipeline.report.templates import render


def write(
    api: str, tasks: list[str], folder: Path
) -> Iterator[tuple[dict[str, Any], Path]]:
    """Write each task's page, all tasks' without names; yield the API's answer and the
    file.

    Raises:
        UsageError: the API knows no such task.
        PipelineError: it does not answer.
    """
    for task in tasks or _ask(api, "/models"):
        found, model = _ask(api, f"/drift/{task}"), _ask(api, f"/models/{task}")
        path = folder / f"{task}.html"
        write_atomic(
            path, render("drift.html", **found, model=model, parts=_parts(found))
        )
        yield found, path


def _parts(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the features and the parts of the prediction, what moved most beyond
    chance first.
    """
    predicted = {
        f"prediction {name}": part for name, part in found["predictions"].items()
    }
    parts = [
        {**part, "name": name} for name, part in (found["features"] | predicted).items()
    ]
    return sorted(
        parts, key=lambda part: -(part["psi"] or 0) / (part["threshold"] or 1)
    )


def _ask(api: str, path: str) -> Any:
    try:
        with requests.Session() as session:
            session.trust_env = not is_ours(api)  # which no proxy can reach
            answer = session.get(api + path, timeout=30)
        if answer.ok:
            return answer.json()
        if answer.status_code == 404:
            raise UsageError(
                f"{api} has no {path}: {api}/models lists the tasks in service."
            )
        reason = f"answers {answer.status_code}"
    except requests.RequestException as error:
        reason = f"does not answer ({type(error).__name__})"
    raise PipelineError(f"{api}{path} {reason}: start the API, or name it with --api.")
