"""What the images are called and what is written into them: variables of
docker-compose.yml.
"""

import hashlib
import json
import re

from core.git import GitError, git
from scripts.stack.settings import ROOT, Settings, StackError

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")


def labels() -> dict[str, str]:
    """Return what is written into the images: the source, its commit, the models'
    versions.
    """
    versions = [
        f"{model['task']} v{model['version']}"
        for path in sorted(ROOT.glob("deployment/models/*/manifest.json"))
        for model in [json.loads(path.read_text("utf-8"))]
    ]
    # An address may hold a password; that is nobody's who has the image.
    source = re.sub("//[^/@]*@", "//", _git("remote", "get-url", "origin"))
    return {
        "SOURCE": source,
        "REVISION": _git("rev-parse", "HEAD"),
        "MODEL_VERSIONS": ", ".join(versions),
    }


def names(settings: Settings) -> dict[str, str]:
    """Return the variables of the images' names; what is not set is as GitHub and HEAD
    have it.

    Raises:
        StackError: there is no commit to name the images after.
    """
    given = settings.variables
    owner, _, repository = (given.get("GITHUB_REPOSITORY") or "local/mlops").partition(
        "/"
    )
    return {
        "REGISTRY": given.get("REGISTRY") or "ghcr.io",
        "OWNER": component(given.get("OWNER") or owner),
        # A package belongs to the repository that pushed it first: no other one can
        # write it.
        "REPOSITORY": component(given.get("REPOSITORY") or repository),
        "IMAGE_TAG": given.get("IMAGE_TAG") or tag(),
    }


def component(name: str) -> str:
    """Return a name of GitHub's as a part of an image's name.

    Registries take small letters, digits and single separators between them. A name
    that has to change more than its capitals gets a hash of itself, so that no two
    become the same.
    """
    small = name.lower()
    if _COMPONENT.fullmatch(small):
        return small
    words = re.findall("[a-z0-9]+", small)
    return "-".join([*words, hashlib.sha256(small.encode()).hexdigest()[:8]])


def tag() -> str:
    """Return the tag of the commit that is checked out.

    Raises:
        StackError: there is none.
    """
    if not (commit := _git("rev-parse", "HEAD")):
        raise StackError(
            f"{ROOT} has no commit to name the images after: set IMAGE_TAG."
        )
    return f"sha-{commit}"


def uncommitted() -> list[str]:
    """Return the paths of what goes into the images and is not as HEAD has it."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    context = [line[1:] for line in ignored if line.startswith("!")]
    return [
        line[3:] for line in _git("status", "--porcelain", "--", *context).splitlines()
    ]


def _git(*arguments: str) -> str:
    """Return what Git prints, and nothing if it fails: there may be no commit, no
    origin.
    """
    try:
        return git(ROOT, *arguments)
    except GitError:
        return ""
