"""A job: train anew, in the GitHub workflow where a token is at hand, else on this machine."""

import os
from pathlib import Path

import requests

from pipeline import tasks
from pipeline.errors import PipelineError
from pipeline.repo import Repo
from pipeline.trainer.jobs import Json, Request
from pipeline.training.train import train


def run(repo: Repo, state: Path, request: Request) -> Json:
    """Train `tasks`, all if none is named; `reason` is for the workflow.

    Raises:
        PipelineError: GitHub refuses or cannot be reached, or the training fails.
    """
    for name in request.tasks:
        tasks.load(name)  # an unknown one is told of before anything is started
    token, repository = (os.environ.get(f"GITHUB_{n}", "").strip() for n in ("TOKEN", "REPOSITORY"))
    if token and repository:
        inputs = {"tasks": ",".join(request.tasks), "reason": request.reason}
        _dispatch(token, repository, {"ref": "main", "inputs": inputs})
        return {"dispatched": f"https://github.com/{repository}/actions"}
    made = train(repo, request.tasks, repo.build / "bundle").tasks.items()
    shown = {"run_id", "algorithm", "holdout"}
    found = {
        name: one.challenger and one.challenger.model_dump(include=shown) for name, one in made
    }
    return {"challengers": found, "next": "python -m pipeline publish"}


def _dispatch(token: str, repository: str, body: Json) -> None:
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    address = f"{base}/repos/{repository}/actions/workflows/mlops.yml/dispatches"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    try:
        answer = requests.post(address, json=body, headers=headers, timeout=30)
        said = "" if answer.ok else f"{answer.status_code}: {answer.json()['message']}"
    except (requests.RequestException, KeyError, TypeError) as error:
        said = f"nothing of use ({type(error).__name__})"  # no more: it may quote a header
    if said:
        raise PipelineError(f"{address}: GitHub answers {said}")
