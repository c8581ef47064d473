"""Builds the project's images, pushes them, moves `latest`: `nox -s images -- build`.

Docker bakes them out of docker-compose.yml; their tag is the commit's, unless IMAGE_TAG
is set.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from core.errors import PipelineError
from scripts import console
from scripts.ci.outputs import put, summarize
from scripts.stack import anonymous, builds, buildx, latest, registry
from scripts.stack.buildx import DockerFailed, docker
from scripts.stack.settings import Settings, StackError

SERVICES = ("mlops-api", "mlflow-server", "trainer")
PREFIX = "mlops-"
# The platforms whose images are added to those of the usual one, linux/amd64.
OTHERS = ("linux/arm64",)


def main() -> int:
    """Do what the arguments say; return 0, 1 for a failure, 2 for a wrong use."""
    parser = _parser()
    flags = parser.parse_args()
    # A workflow's matrix passes several as one argument.
    services = " ".join(getattr(flags, "services", [])).split() or list(SERVICES)
    if unknown := sorted(set(services) - set(SERVICES)):
        parser.error(
            f"{unknown[0]}: no image is built for it; there are {', '.join(SERVICES)}."
        )
    try:
        settings = Settings.read()
        variables = builds.labels() | settings.variables | builds.names(settings)
        if flags.verb in ("build", "push"):
            put(**bake(flags.verb, services, variables, getattr(flags, "platform", "")))
        elif flags.verb == "combine":
            put(**combine(variables))
        else:
            put(**release(variables))
    except (StackError, PipelineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="images", description=console.first_line(__doc__)
    )
    does = parser.add_subparsers(dest="verb", required=True)
    for verb, help_ in (
        ("build", "build images into the engine"),
        (
            "push",
            "build images and push them, with provenance and an SBOM",
        ),
    ):
        some = does.add_parser(verb, help=help_)
        some.add_argument(
            "services", nargs="*", metavar="SERVICE", help=", ".join(SERVICES)
        )
        if verb == "push":
            some.add_argument(
                "--platform",
                choices=OTHERS,
                default="",
                help=(
                    "build for this platform, and add it to the tag; `combine` joins"
                    " them"
                ),
            )
    does.add_parser(
        "combine", help="give this commit's tag the images of all pushed platforms"
    )
    does.add_parser(
        "latest", help="move `latest` to this commit, if it has no newer one"
    )
    return parser


def bake(
    verb: str, services: list[str], variables: dict[str, str], platform: str = ""
) -> dict[str, str]:
    """Build images, or push them too; return each image's address by its short name.

    Args:
        platform: another one than this machine's.

    Raises:
        StackError: the build failed, or the registry refused the images.
    """
    if verb == "push" and variables["IMAGE_TAG"] == builds.tag():
        if changed := builds.uncommitted():
            raise StackError(
                f"{changed[0]} is not as in HEAD: commit it, then push the images."
            )
    variables = variables | {
        "IMAGE_TAG": variables["IMAGE_TAG"] + buildx.suffix(platform)
    }
    images, driver = buildx.images(services, variables), buildx.driver(variables)
    if verb == "push" and driver == "docker":
        print(
            "Docker's built-in builder pushes without attestations and cache: for"
            " those, run `docker buildx create --use` first.",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder) / "metadata.json"
        try:
            docker(
                *buildx.arguments(verb, images, driver, metadata, platform),
                variables=variables,
                otherwise=f"docker buildx bake did not {verb} {', '.join(services)}",
            )
        except DockerFailed as failure:
            raise registry.explained(failure) from failure
        if verb == "build":
            tag = variables["IMAGE_TAG"]
            return {short(image): f"{image}:{tag}" for image in images.values()}
        pushed = json.loads(metadata.read_text("utf-8"))
    digests = {images[name]: pushed[name]["containerimage.digest"] for name in services}
    return {short(image): f"{image}@{digest}" for image, digest in digests.items()}


def short(image: str) -> str:
    """Return the name under which the workflow knows an image: `api`, `mlflow` or
    `pipeline`.
    """
    return image.rpartition("/")[2].removeprefix(PREFIX)


def combine(variables: dict[str, str]) -> dict[str, str]:
    """Let this commit's tag name the images of every platform that was pushed.

    Returns:
        Each image's address by its short name. It can be called again: nothing is added
        twice.

    Raises:
        StackError: an image of the usual platform is missing, or the registry refuses.
    """
    tag, found = builds.tag(), {}
    for image in buildx.images(list(SERVICES), variables).values():
        digests = [registry.digest(image, tag, variables)]
        for platform in OTHERS:
            other = registry.digest_or_none(
                image, tag + buildx.suffix(platform), variables
            )
            digests += [other] if other else []
        if len(digests) > 1:
            registry.tag(image, tag, digests, variables)
        found[short(image)] = f"{image}@{registry.digest(image, tag, variables)}"
    return found


def release(variables: dict[str, str]) -> dict[str, str]:
    """Move `latest`, and say which of the images only those who log in can pull.

    Raises:
        StackError: an image of this commit is missing, or origin or the registry
            refuses.
    """
    commit = builds.tag().removeprefix("sha-")
    images = buildx.images(list(SERVICES), variables)
    # The API's moves last: the others of its commit are there then.
    ordered = [images[service] for service in reversed(SERVICES)]
    digests = latest.move(ordered, commit, variables)
    if digests and not _is_private():
        tell_hidden(digests, variables)
    # In the order of the services, as everywhere else.
    named = [
        f"{image}@{digests[image]}" for image in images.values() if image in digests
    ]
    return {"digests": " ".join(named)} if named else {}


def tell_hidden(digests: dict[str, str], variables: dict[str, str]) -> None:
    """Add to the page of the run which packages are not public, and where that is
    changed.
    """
    repository = variables.get("GITHUB_REPOSITORY", "")
    organization = (
        _event().get("repository", {}).get("owner", {}).get("type") == "Organization"
    )
    for image, digest in digests.items():
        try:
            if anonymous.can_pull(image, digest):
                continue
            page = anonymous.settings_page(image, repository, organization)
            where = (
                f": [make it public]({page})" if image.startswith("ghcr.io/") else "."
            )
            summarize(f"`{image}` cannot be pulled without a login{where}")
        except StackError as error:  # the images are released, whoever can see them
            summarize(str(error))


def _is_private() -> bool:
    """Tell whether the repository is private, as its images are meant to be then."""
    return bool(_event().get("repository", {}).get("private"))


def _event() -> dict[str, dict[str, dict[str, str]]]:
    """Return what GitHub says about the event that started this workflow; nothing
    elsewhere.
    """
    path = os.environ.get("GITHUB_EVENT_PATH")
    found: dict[str, dict[str, dict[str, str]]] = (
        json.loads(Path(path).read_text("utf-8")) if path else {}
    )
    return found


if __name__ == "__main__":
    sys.exit(console.run(main))
