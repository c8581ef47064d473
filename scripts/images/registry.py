"""Images in a registry: their digests, the commits they were built from, their tags."""

import json
import sys
from typing import Any

from scripts.images.buildx import DockerFailed, docker
from scripts.stack.settings import StackError, Variables

# The platform that every image is built for.
PLATFORM = "linux/amd64"
REVISION = "org.opencontainers.image.revision"
# A registry's answers, and what to do about them.
REFUSALS = {
    "write_package": (
        "this package belongs to another repository. On its page, Package settings >"
        " Manage Actions access, give this repository the role Write; or delete the"
        " package"
    ),
    "not allowed to Create organization package": (
        "the organisation does not let workflows create packages: one of its owners"
        " allows it at Organization settings > Packages > Package creation"
    ),
}


def explained(failure: DockerFailed) -> StackError:
    """Return the failure with what to do about it, if the registry's answer is known."""
    for line in failure.output.splitlines():
        for answer, remedy in REFUSALS.items():
            if answer in line:
                return StackError(
                    f"the registry refused the push ({line.strip()}): {remedy}."
                )
    return failure


def digest(
    image: str, tag: str, variables: Variables, *, show_errors: bool = True
) -> str:
    """Return the digest of an image in its registry.

    Raises:
        StackError: it is not there, or the registry refuses.
    """
    printed = docker(
        "buildx",
        "imagetools",
        "inspect",
        f"{image}:{tag}",
        "--format",
        "{{json .Manifest.Digest}}",
        variables=variables,
        otherwise=f"{image}:{tag} is not in the registry, push it first",
        show_errors=show_errors,
    )
    digest: str = json.loads(printed)
    return digest


def digest_or_none(image: str, tag: str, variables: Variables) -> str | None:
    """Return the digest of an image in its registry; None if it has no such tag.

    Raises:
        StackError: the registry refuses.
    """
    try:
        # A missing image is a valid answer, not an error.
        return digest(image, tag, variables, show_errors=False)
    except DockerFailed as failure:
        if "not found" in failure.output or "unknown" in failure.output:
            return None
        print(failure.output, end="", file=sys.stderr, flush=True)
        raise StackError(f"{image}:{tag} cannot be looked up: see above.") from failure


def revision(image: str, reference: str, variables: Variables) -> str:
    """Return the commit that an image was built from, empty if its labels lack it.

    Args:
        reference: the image's tag with a colon before it, or its digest with an `@`.
    """
    printed = docker(
        "buildx",
        "imagetools",
        "inspect",
        f"{image}{reference}",
        "--format",
        "{{json .Image}}",
        variables=variables,
        otherwise=f"{image}{reference} cannot be read",
    )
    return _revision(json.loads(printed) or {})


def sbom(address: str, variables: Variables) -> str:
    """Return the SBOM that an image was pushed with: SPDX as JSON.

    Of an image for several platforms it is that for the usual one.

    Args:
        address: the image with its digest.

    Raises:
        StackError: it was pushed without one, or the registry refuses.
    """
    printed = docker(
        "buildx",
        "imagetools",
        "inspect",
        address,
        "--format",
        "{{json .SBOM}}",
        variables=variables,
        otherwise=f"the SBOM of {address} cannot be read",
    )
    described: dict[str, Any] = json.loads(printed) or {}
    of_platform = described.get(PLATFORM, described)
    content = of_platform.get("SPDX")
    if not content:
        raise StackError(
            f"{address} has no SBOM: push it with a builder of the driver"
            " docker-container (`docker buildx create --use`)."
        )
    return json.dumps(content, indent=1) + "\n"


def tag(image: str, name: str, sources: list[str], variables: Variables) -> None:
    """Set an image's tag to images of the same repository: one, or one a platform.

    Args:
        sources: their digests.

    Raises:
        StackError: the registry refuses.
    """
    create = ["buildx", "imagetools", "create", "--tag", f"{image}:{name}"]
    create += [f"{image}@{source}" for source in sources]
    docker(
        *create,
        variables=variables,
        otherwise=f"{image}:{name} could not be set",
    )


def _revision(described: dict[str, Any]) -> str:
    """Find the label in an image's configuration, or in those of its platforms."""
    image = described
    if "config" not in described:
        image = next(iter(described.values()), {})
    configuration = image.get("config", {})
    labels = configuration.get("Labels") or {}
    return str(labels.get(REVISION, ""))
