"""The provenance of the images on GitHub's registry, checked by GitHub's program `gh`.

The workflow signs the images of public repositories: see docs/how-to.md.
"""

import shutil
import subprocess

from scripts.stack.settings import StackError

REGISTRY = "ghcr.io/"
# The status with which gh says that nobody is logged in.
NOT_LOGGED_IN = 4


def require(address: str) -> None:
    """Check that a workflow of the repository has signed an image.

    Images of other registries and of private repositories are not signed. What cannot
    be checked without gh is said so.

    Raises:
        StackError: nobody has signed it, or GitHub cannot be asked.
    """
    if not address.startswith(REGISTRY):
        return
    if not shutil.which("gh"):
        _say_unchecked(address, "install GitHub's program gh")
        return
    name = address.partition("@")[0].removeprefix(REGISTRY)
    repository, _, _ = name.rpartition("/")
    if _is_private(repository):
        return
    done = _gh("attestation", "verify", f"oci://{address}", "--repo", repository)
    if done.returncode == NOT_LOGGED_IN:
        _say_unchecked(address, "log in with `gh auth login`")
    elif done.returncode:
        reason = " ".join(done.stderr.split())
        raise StackError(
            f"{address} is not signed by a workflow of {repository} ({reason}): it is"
            " not started."
        )


def _say_unchecked(address: str, remedy: str) -> None:
    print(f"{address}: who built it is not checked; {remedy} for that.", flush=True)


def _is_private(repository: str) -> bool:
    view = ("repo", "view", repository, "--json", "visibility", "--jq", ".visibility")
    return _gh(*view).stdout.strip() in ("PRIVATE", "INTERNAL")


def _gh(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["gh", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
