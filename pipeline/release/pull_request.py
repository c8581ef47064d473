"""The pull request for a promotion: by GitHub's program `gh`, or by an address."""

import shutil
import subprocess

from core.git import git, succeeds
from core.redact import redact_address
from pipeline import github_api
from pipeline.release.promotion import Promotion
from pipeline.repo import Repo


def request(repo: Repo, promotion: Promotion, remote: str) -> str:
    """Open the pull request; return one sentence about it.

    Without `gh`, or if it refuses, the sentence says where to open it.
    """
    address = remote
    if succeeds(repo.root, "remote", "get-url", remote):
        address = git(repo.root, "remote", "get-url", remote)
    match = github_api.ADDRESS.fullmatch(address)
    if match is None:
        return (
            f"Merge the branch {promotion.head} into {promotion.branch} of"
            f" {redact_address(address)}."
        )
    repository = match["repository"]
    opened = _open(repository, promotion)
    if opened:
        return f"Opened {opened}."
    page = f"https://github.com/{repository}/compare"
    return f"Open the pull request: {page}/{promotion.branch}...{promotion.head}"


def _open(repository: str, promotion: Promotion) -> str:
    """Open the pull request by gh; return its address, or nothing if that fails."""
    if not shutil.which("gh"):
        return ""
    command = ["gh", "pr", "create", "--repo", repository]
    command += ["--base", promotion.branch, "--head", promotion.head]
    command += ["--title", promotion.title, "--body", promotion.text]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        return ""
    return done.stdout.strip()
