"""A job: train anew, in the GitHub workflow where a token is at hand, else on this machine."""

import os
from pathlib import Path

import requests

from pipeline import tasks
from pipeline.errors import PipelineError
from pipeline.repo import Repo
from pipeline.trainer.jobs import Json, Request
from pipeline.training.train import train

WORKFLOW = "actions/workflows/mlops.yml/dispatches"


def run(repo: Repo, state: Path, request: Request) -> Json:
    """Train `tasks`, all if none is named; `reason` is for the workflow.

    Raises:
        PipelineError: GitHub refuses or cannot be reached, or the training fails.
    """
    metrics = {name: tasks.load(name).metric.name for name in request.tasks or tasks.names()}
    token, repository = (os.environ.get(f"GITHUB_{n}", "").strip() for n in ("TOKEN", "REPOSITORY"))
    if token and repository:
        inputs = {"tasks": ",".join(request.tasks), "reason": request.reason}
        _dispatch(token, repository, {"ref": "main", "inputs": inputs})
        return {"dispatched": f"https://github.com/{repository}/actions"}
    found = {}
    for name, result in train(repo, request.tasks, repo.build / "bundle").tasks.items():
        best, metric = result.challenger, metrics[name]
        found[name] = best and {"algorithm": best.algorithm, metric: best.holdout[metric]}
    return {"challengers": found, "next": "python -m pipeline publish"}


def _dispatch(token: str, repository: str, body: Json) -> None:
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    address = f"{base}/repos/{repository}/{WORKFLOW}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    try:
        answer = requests.post(address, json=body, headers=headers, timeout=30)
        said = "" if answer.ok else answer.json()["message"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        # Not what the library says: it may quote a header.
        raise PipelineError(f"{address}: no answer of GitHub ({type(error).__name__}).") from None
    if not answer.ok:
        raise PipelineError(f"{address}: GitHub answers {answer.status_code}: {said}")
