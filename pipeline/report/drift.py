"""Saves the API's dashboard with its figures, and reads the drift that the API reports."""

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
# The page shows the figures in this element; if there are none, it requests them.
PLACE = '<script type="application/json" id="saved">{}</script>'


def write(
    api: str, tasks: list[str], folder: Path
) -> Iterator[tuple[dict[str, Any], Path]]:
    """Save the dashboard; yield the drift of each task, and the file that shows it.

    Args:
        api: the address of the API, without a slash at its end.
        tasks: the names of tasks; all tasks in service if it is empty.
        folder: the folder to write the page to.

    Raises:
        UsageError: the API does not serve such a task.
        PipelineError: the API does not respond, or its page cannot be saved.
    """
    names = tasks or _list_tasks(api)
    answers = [_get_json(api, f"/drift/{name}") for name in names]
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
            f"{api}/dashboard cannot be saved: the API and this checkout have different"
            " versions; start the API from this checkout."
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
        raise _failure(api, path, "did not respond with JSON") from error


def _get(api: str, path: str) -> requests.Response:
    try:
        with requests.Session() as session:
            session.trust_env = not is_ours(api)  # no proxy can reach this machine
            answer = session.get(api + path, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        reason = f"did not respond ({type(error).__name__})"
        raise _failure(api, path, reason) from error
    if answer.status_code == 404:
        raise UsageError(
            f"{api} does not have {path}: {api}/models lists the tasks in service."
        )
    if not answer.ok:
        raise _failure(api, path, f"responded with status {answer.status_code}")
    return answer


def _failure(api: str, path: str, reason: str) -> PipelineError:
    advice = "start the API, or give its address with --api."
    return PipelineError(f"{api}{path} {reason}: {advice}")
