"""The report, the outputs and the status of a commit that was published."""

import json
import os
from pathlib import Path

from core.git import git
from pipeline.workflow import run_url
from scripts.ci import api, own_commits
from scripts.ci.outputs import put

REPORT = Path("build/report.md")


def write_report(copy: Path, tested: str, commit: str) -> None:
    """Write the outputs, and the report if an earlier attempt of this run published."""
    subject = git(copy, "log", "-1", "--format=%s", commit)
    if not REPORT.is_file():
        text = f"Published before, as `{commit[:9]}`: {subject}\n"
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(text, encoding="utf-8")
    left = why_not_built(copy, tested, commit)
    put(
        commit=commit,
        headline=subject.partition(": ")[2],
        ship=json.dumps(not left),
        left=left,
    )
    if os.environ.get("GITHUB_ACTIONS"):
        set_status(commit)


def why_not_built(copy: Path, tested: str, commit: str) -> str:
    """Return why this run must not build the images of a published commit, if so."""
    files = git(copy, "ls-tree", "-r", "--name-only", commit, "deployment/models")
    if "manifest" not in files:
        return "No model is in service yet: there is nothing to build images of."
    others = own_commits.untested(copy, tested, commit)
    if not others:
        return ""
    return (
        f"The published commit contains {others[0][:9]} of another push, which this"
        " run has not tested: the images are left to that push's run."
    )


def set_status(commit: str) -> None:
    """Give the published commit a status.

    It is the pipeline's own commit, and so it starts no workflow run that checks it.
    """
    status = {
        "state": "success",
        "context": "Published",
        "description": "Linted, tested, trained, evaluated",
        "target_url": run_url(),
    }
    try:
        api.call(f"/statuses/{commit}", status)
    except (api.ApiError, api.MissingVariable) as error:
        print(f"::warning::The published commit has no status: {error}")
