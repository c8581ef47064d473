"""Names and labels of the images: variables of docker-compose.yml."""

import hashlib
import json
import re
from typing import Any

from core.git import GitError, git
from scripts.stack.settings import ROOT, Settings, StackError, Variables

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")


def labels() -> Variables:
    """Return the images' labels: the source, its commit, the models' versions."""
    versions = []
    for path in sorted(ROOT.glob("deployment/models/*/manifest.json")):
        model = json.loads(path.read_text("utf-8"))
        task = model["task"]
        version = model["version"]
        versions.append(f"{task} v{version}")
    # The address may contain a password, which must not get into an image.
    address = _git("remote", "get-url", "origin")
    source = re.sub("//[^/@]*@", "//", address)
    return {
        "SOURCE": source,
        "REVISION": _git("rev-parse", "HEAD"),
        "MODEL_VERSIONS": ", ".join(versions),
    }


def builders(described: dict[str, Any], chosen: list[str]) -> list[str]:
    """Return one service for each image that is built, if possible a chosen one.

    Args:
        described: the services of the compose file, by name.
    """
    builders: dict[str, str] = {}
    for name in [*chosen, *described]:
        service = described[name]
        if "build" in service:
            builders.setdefault(service.get("image", name), name)
    return list(builders.values())


def names(settings: Settings) -> Variables:
    """Return the variables of the images' names, by default from GitHub and HEAD.

    Raises:
        StackError: there is no commit to name the images after.
    """
    given = settings.variables
    full_name = given.get("GITHUB_REPOSITORY") or "local/mlops"
    owner, _, repository = full_name.partition("/")
    return {
        "REGISTRY": given.get("REGISTRY") or "ghcr.io",
        "OWNER": component(given.get("OWNER") or owner),
        # A package belongs to the repository that pushed it first: no other one can
        # write it.
        "REPOSITORY": component(given.get("REPOSITORY") or repository),
        "IMAGE_TAG": given.get("IMAGE_TAG") or tag(),
    }


def component(name: str) -> str:
    """Return a name from GitHub as a part of an image's name.

    Registries accept lower-case letters, digits and single separators between them. A
    name that has to change more than its case gets a hash of itself, so that no two
    become the same.
    """
    small = name.lower()
    if _COMPONENT.fullmatch(small):
        return small
    words = re.findall("[a-z0-9]+", small)
    digest = hashlib.sha256(small.encode()).hexdigest()
    words.append(digest[:8])
    return "-".join(words)


def tag() -> str:
    """Return the tag of the commit that is checked out.

    Raises:
        StackError: there is none.
    """
    commit = _git("rev-parse", "HEAD")
    if not commit:
        raise StackError(
            f"{ROOT} has no commit to name the images after: set IMAGE_TAG."
        )
    return f"sha-{commit}"


def uncommitted() -> list[str]:
    """Return the paths of files that go into the images and differ from HEAD."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    context = [line[1:] for line in ignored if line.startswith("!")]
    changed = _git("status", "--porcelain", "--", *context)
    return [line[3:] for line in changed.splitlines()]


def _git(*arguments: str) -> str:
    """Return what Git prints, nothing if it fails for want of a commit or an origin."""
    try:
        return git(ROOT, *arguments)
    except GitError:
        return ""
