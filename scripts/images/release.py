"""Releasing a commit's images: one tag for all platforms, then `latest`."""

import json
import os
from pathlib import Path
from typing import Any

from scripts.ci.outputs import summarize
from scripts.images import anonymous, buildx, latest, registry
from scripts.images.build import OTHER_PLATFORMS, SERVICES, Addresses, short
from scripts.stack import builds
from scripts.stack.settings import StackError, Variables


def combine(variables: Variables) -> Addresses:
    """Let this commit's tag name the images of every platform that was pushed.

    Returns:
        Each image's address by its short name. A second call adds nothing.

    Raises:
        StackError: an image of the usual platform is missing, or the registry refuses.
    """
    tag = builds.tag()
    addresses = {}
    for image in buildx.images(list(SERVICES), variables).values():
        digests = [registry.digest(image, tag, variables)]
        for platform in OTHER_PLATFORMS:
            other_tag = tag + buildx.suffix(platform)
            other = registry.digest_or_none(image, other_tag, variables)
            if other:
                digests.append(other)
        if len(digests) > 1:
            registry.tag(image, tag, digests, variables)
        digest = registry.digest(image, tag, variables)
        addresses[short(image)] = f"{image}@{digest}"
    return addresses


def release(variables: Variables) -> dict[str, str]:
    """Move `latest`, and report which of the images can only be pulled with a login.

    Raises:
        StackError: an image of this commit is missing, or origin or the registry
            refuses.
    """
    commit = builds.tag().removeprefix("sha-")
    images = buildx.images(list(SERVICES), variables)
    # The API's image moves last, when the others of its commit are there.
    ordered = [images[service] for service in reversed(SERVICES)]
    digests = latest.move(ordered, commit, variables)
    if not digests:
        return {}
    if not _is_private():
        report_hidden(digests, variables)
    addresses = []
    for service in SERVICES:
        image = images[service]
        addresses.append(f"{image}@{digests[image]}")
    return {"digests": " ".join(addresses)}


def report_hidden(digests: dict[str, str], variables: Variables) -> None:
    """Add to the run's summary which packages are not public, and where to change it."""
    repository = variables.get("GITHUB_REPOSITORY", "")
    owner = _repository().get("owner", {})
    organization = owner.get("type") == "Organization"
    for image, digest in digests.items():
        try:
            if anonymous.can_pull(image, digest):
                continue
            where = "."
            if image.startswith("ghcr.io/"):
                page = anonymous.settings_page(image, repository, organization)
                where = f": [make it public]({page})"
            summarize(f"`{image}` cannot be pulled without a login{where}")
        except StackError as error:
            # The images are released even if nobody can tell who sees them.
            summarize(str(error))


def _is_private() -> bool:
    """Return whether the repository is private, as its images should be then."""
    return bool(_repository().get("private"))


def _repository() -> dict[str, Any]:
    """Return GitHub's description of the repository, empty outside a workflow."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    event = json.loads(Path(path).read_text("utf-8"))
    repository: dict[str, Any] = event.get("repository", {})
    return repository
