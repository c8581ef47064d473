"""The job "retrain": in the GitHub workflow if a token is set, else on this machine."""

import os
from pathlib import Path
from typing import Any

from core.jobs import JobRequest
from pipeline import github_api, tasks
from pipeline.bundle import Bundle
from pipeline.repo import Repo
from pipeline.train.train import train

ANSWERED = {"run_id", "algorithm", "holdout"}
WORKFLOW = "mlops.yml"


def run(repo: Repo, state: Path, request: JobRequest) -> dict[str, Any]:
    """Train tasks as `pipeline train` does; return the workflow or the challengers.

    For drift the sources of the data are read anew: the same rows would give the same
    model.

    Args:
        repo: the checkout.
        state: not used; every job gets it.
        request: `tasks`, all if there is none, and the `reason` for the workflow.

    Raises:
        PipelineError: GitHub refuses or cannot be reached, or the training fails.
    """
    token = _setting("GITHUB_TOKEN")
    repository = _setting("GITHUB_REPOSITORY")
    if token and repository:
        return _dispatch(token, repository, request)
    folder = repo.build / "bundle"
    bundle = train(repo, request.tasks, folder, refresh=request.drift)
    return _summary(bundle)


def _setting(variable: str) -> str:
    value = os.environ.get(variable, "")
    return value.strip()


def _dispatch(token: str, repository: str, request: JobRequest) -> dict[str, Any]:
    """Start the workflow on GitHub."""
    # Loaded, so that an unknown one is refused here and not in the workflow.
    names = [tasks.load(name).name for name in request.tasks]
    inputs = {
        "tasks": " ".join(names),
        "reason": request.reason,
    }
    if request.drift:
        inputs["refresh_data"] = "true"
    description = github_api.ask(token, repository, "")
    body = {
        "ref": description["default_branch"],
        "inputs": inputs,
    }
    path = f"/actions/workflows/{WORKFLOW}/dispatches"
    github_api.ask(token, repository, path, body)
    return {"dispatched": f"https://github.com/{repository}/actions"}


def _summary(bundle: Bundle) -> dict[str, Any]:
    """Return the challengers of a bundle; of a single one, its run and metrics too."""
    answers: dict[str, Any] = {}
    challengers = []
    for name, result in bundle.tasks.items():
        answers[name] = None
        challenger = result.challenger
        if challenger:
            challengers.append(challenger)
            answers[name] = challenger.model_dump(include=ANSWERED)
    summary = {
        "challengers": answers,
        "next": "python -m pipeline publish",
    }
    if len(challengers) == 1:
        only = challengers[0]
        summary["run_id"] = only.run_id
        summary["metrics"] = only.holdout
    return summary
