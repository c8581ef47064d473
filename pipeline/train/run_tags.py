"""The tags that distinguish a training from others and allow to repeat it."""

import os
import platform

from core.files import sha256_file
from core.git import git
from pipeline import workflow
from pipeline.code_version import LIBRARIES, digest_of_code, version_of
from pipeline.data.fetch import Dataset
from pipeline.repo import Repo


def common_tags(repo: Repo) -> dict[str, str]:
    """Return the tags of every run of a training."""
    author = git(repo.root, "log", "-1", "--format=%an")
    return {
        "mlflow.user": os.environ.get("GITHUB_ACTOR") or author,
        "mlflow.source.name": "pipeline train",
        "mlflow.source.type": "JOB",
        "mlflow.source.git.commit": git(repo.root, "rev-parse", "HEAD"),
    }


def parent_tags(repo: Repo, dataset: Dataset, dirty: list[str]) -> dict[str, str]:
    """Return the tags of a task's parent run; empty ones are left out.

    Args:
        repo: the checkout.
        dataset: the task's table.
        dirty: the files that no commit holds as they are.

    Raises:
        PipelineError: a library is not installed.
    """
    requirements = repo.root / "requirements" / "pipeline.txt"
    tags = {
        "git.branch": git(repo.root, "branch", "--show-current"),
        "git.dirty": str(bool(dirty)).lower(),
        "workflow.run_url": workflow.run_url(),
        "workflow.reason": os.environ.get("MLOPS_REASON", ""),
        "data.origin": dataset.origin,
        "digest.data": dataset.digest,
        "digest.code": digest_of_code(),
        "digest.params": sha256_file(repo.params),
        "version.python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    if requirements.is_file():
        tags["digest.requirements"] = sha256_file(requirements)
    for name in LIBRARIES:
        tags[f"version.{name}"] = version_of(name)
    return {key: value for key, value in tags.items() if value}
