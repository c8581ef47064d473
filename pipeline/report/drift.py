"""Save the API's own dashboard with its figures, and read what the API says of drift."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from core.environment import is_ours
from core.errors import PipelineError, UsageError
from core.files import write_atomic

NAME = "dashboard.html"
TIMEOUT_SECONDS = 30
# The page shows the figures that stand here; the API's own copy asks for them.
PLACE = '<script type="application/json" id="saved">{}</script>'


def write(
    api: str, tasks: list[str], folder: Path
) -> Iterator[tuple[dict[str, Any], Path]]:
    """Save the dashboard; yield the drift of each task, and the file that shows it.

    Args:
        api: The address of the API, without a slash at its end.
        tasks: Names of tasks; all in service if there is none.
        folder: Where the page is written.

    Raises:
        UsageError: The API serves no such task.
        PipelineError: The API does not answer, or its page can't be saved.
    """
    answers = [_get_json(api, f"/drift/{task}") for task in tasks or _list_tasks(api)]
    path = folder / NAME
    write_atomic(path, _saved_page(api))
    for answer in answers:
        yield answer, path


def _list_tasks(api: str) -> list[str]:
    return list(_get_json(api, "/models"))


def _saved_page(api: str) -> str:
    """Return the dashboard with the present figures in it."""
    page = _get(api, "/dashboard").text
    place = PLACE.format("null")
    if place not in page:
        raise PipelineError(
            f"{api}/dashboard can't be saved: the API has another version."
        )
    # An escaped "<": a text in the figures must not end the element that holds them.
    figures = _get_json(api, "/dashboard/figures") | {"time": int(time.time())}
    text = json.dumps(figures).replace("<", r"\u003c")
    return page.replace(place, PLACE.format(text))


def _get_json(api: str, path: str) -> Any:
    answer = _get(api, path)
    try:
        return answer.json()
    except requests.JSONDecodeError as error:
        raise _failure(api, path, "does not answer with JSON") from error


def _get(api: str, path: str) -> requests.Response:
    try:
        with requests.Session() as session:
            session.trust_env = not is_ours(api)  # no proxy can reach this machine
            answer = session.get(api + path, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        reason = f"does not answer ({type(error).__name__})"
        raise _failure(api, path, reason) from error
    if answer.status_code == 404:
        raise UsageError(
            f"{api} has no {path}: {api}/models lists the tasks in service."
        )
    if not answer.ok:
        raise _failure(api, path, f"answers {answer.status_code}")
    return answer


def _failure(api: str, path: str, reason: str) -> PipelineError:
    advice = "start the API, or name it with --api."
    return PipelineError(f"{api}{path} {reason}: {advice}")
