"""A job: train anew, in the GitHub workflow where a token is at hand, else on this
machine.
"""

import os
from pathlib import Path
from typing import Any

import requests

from core.errors import PipelineError
from pipeline import tasks
from pipeline.repo import Repo
from pipeline.train.train import train
from pipeline.worker.jobs import Json, Request

WORKFLOW = "mlops.yml"


def run(repo: Repo, state: Path, request: Request) -> Json:
    """Train `tasks`, all if none is named; `reason` is for the workflow.

    For drift the data's sources are read anew: the same rows would give the same model.

    Raises PipelineError: GitHub refuses or cannot be reached, or the training fails.
    """
    token, repository = (
        os.environ.get(f"GITHUB_{n}", "").strip() for n in ("TOKEN", "REPOSITORY")
    )
    if token and repository:
        names = [
            tasks.load(name).name for name in request.tasks
        ]  # all of them are known
        inputs = {"tasks": " ".join(names), "reason": request.reason}
        if request.drift:
            inputs["refresh_data"] = "true"
        branch = _ask(token, repository, "")["default_branch"]
        page = f"/actions/workflows/{WORKFLOW}/dispatches"
        _ask(token, repository, page, {"ref": branch, "inputs": inputs})
        return {"dispatched": f"https://github.com/{repository}/actions"}
    bundle = train(repo, request.tasks, repo.build / "bundle", fresh=request.drift)
    shown = {"run_id", "algorithm", "holdout"}
    best = {name: result.challenger for name, result in bundle.tasks.items()}
    found = {
        name: made and made.model_dump(include=shown) for name, made in best.items()
    }
    answer = {"challengers": found, "next": "python -m pipeline publish"}
    made = [challenger for challenger in best.values() if challenger]
    if len(made) == 1:
        answer |= {"run_id": made[0].run_id, "metrics": made[0].holdout}
    return answer


def _ask(token: str, repository: str, path: str, body: Json | None = None) -> Any:
    """Ask GitHub's API about a repository, or tell it something; return what it
    answers.
    """
    base = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    address = f"{base}/repos/{repository}{path}"
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
    }
    try:
        method = "GET" if body is None else "POST"
        answer = requests.request(
            method, address, json=body, headers=headers, timeout=30
        )
    except (
        requests.RequestException
    ) as error:  # without its words, which may quote a header
        raise PipelineError(f"{address}: no answer ({type(error).__name__}).") from None
    if not answer.ok:
        raise PipelineError(
            f"{address}: GitHub answers {answer.status_code}: {answer.text[:300]}"
        )
    return answer.json() if answer.content else None
