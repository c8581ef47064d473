"""`GET /` in a browser: a page with a form for each task, to try its model."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response

from app.asgi import html_page
from app.dependencies import Services
from core.manifest import Manifest

PAGE = Path(__file__).with_name("try_it.html")
# The prefix of the API's paths in the page's links: the page itself is at `/ml/` or at
# `/ml`, where relative links would lead elsewhere.
ROOT = "{root}"
MODEL_FIELDS = {
    "task",
    "title",
    "description",
    "kind",
    "algorithm",
    "version",
    "run_id",
    "features",
    "target",
    "metric",
    "holdout",
    "limits",
}
# Of the interval that the page asks for with a prediction, in percent.
LEVEL = 90
# A name of the machine that a browser runs on, with or without a port.
THIS_MACHINE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


def get_page(services: Services, request: Request) -> Response:
    """Return the page, with the models in service as its data."""
    text, policy = html_page.read(PAGE)
    root = request.scope.get("root_path", "")
    data = {
        "root": root,
        "mlflow": mlflow_url(services.settings.mlflow_url, request),
        "models": _models(services),
    }
    page = html_page.with_data(text.replace(ROOT, root), "page", data)
    headers = {"Content-Security-Policy": policy}
    return Response(page, headers=headers, media_type="text/html")


def mlflow_url(url: str, request: Request) -> str:
    """Return MLflow's address for the browser that sent a request.

    An address of this machine is left out for browsers on other machines, which would
    look for MLflow on their own.
    """
    is_of_this_machine = THIS_MACHINE.fullmatch(urlsplit(url).netloc)
    host = request.headers.get("host", "")
    if is_of_this_machine and not THIS_MACHINE.fullmatch(host):
        return ""
    return url


def _models(services: Services) -> dict[str, dict[str, Any]]:
    """Return what the page shows of each task: its model, or why there is none."""
    models: dict[str, dict[str, Any]] = {}
    for task, state in services.models.tasks.items():
        models[task] = {"task": task, "problem": state.problem}
        if state.served:
            models[task] |= _description(state.served.manifest)
    return models


def _description(manifest: Manifest) -> dict[str, Any]:
    description = manifest.model_dump(mode="json", include=MODEL_FIELDS)
    intervals = manifest.intervals
    levels = [each.level for each in intervals.levels] if intervals else []
    description["interval"] = LEVEL if LEVEL in levels else None
    return description
