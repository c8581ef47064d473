"""Build the project's images, push them, and move `latest`: `nox -s images -- build`.

`docker buildx bake` builds them from docker-compose.yml. Their tag is the commit's,
unless IMAGE_TAG is set.
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
OTHER_PLATFORMS = ("linux/arm64",)


def main() -> int:
    """Run the command; return 0, 1 for a failure, 2 for a wrong use."""
    parser = _parser()
    arguments = parser.parse_args()
    command = arguments.command
    services = _services(parser, getattr(arguments, "services", []))
    try:
        settings = Settings.read()
        variables = builds.labels()
        variables |= settings.variables
        variables |= builds.names(settings)
        if command == "build":
            outputs = build(services, variables)
        elif command == "push":
            outputs = push(services, variables, arguments.platform)
        elif command == "combine":
            outputs = combine(variables)
        else:
            outputs = release(variables)
        put(**outputs)
    except (StackError, PipelineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="images", description=console.first_line(__doc__)
    )
    commands = parser.add_subparsers(dest="command", required=True)
    build_command = commands.add_parser("build", help="build images into the engine")
    push_command = commands.add_parser(
        "push", help="build images and push them, with provenance and an SBOM"
    )
    for command in (build_command, push_command):
        command.add_argument(
            "services", nargs="*", metavar="SERVICE", help=", ".join(SERVICES)
        )
    push_command.add_argument(
        "--platform",
        choices=OTHER_PLATFORMS,
        default="",
        help="build for this platform, and add it to the tag; `combine` joins them",
    )
    commands.add_parser(
        "combine", help="give this commit's tag the images of all pushed platforms"
    )
    commands.add_parser(
        "latest", help="move `latest` to this commit, unless it is at a newer one"
    )
    return parser


def _services(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
    """Return the services to build, all if none is named; exit for an unknown one."""
    # A workflow's matrix passes several as one argument.
    services = " ".join(arguments).split()
    if not services:
        return list(SERVICES)
    for service in services:
        if service not in SERVICES:
            known = ", ".join(SERVICES)
            parser.error(f"{service}: no image is built for it; there are {known}.")
    return services


def build(services: list[str], variables: dict[str, str]) -> dict[str, str]:
    """Build images into the engine; return each image's address by its short name."""
    images = buildx.images(services, variables)
    bake("build", images, variables)
    tag = variables["IMAGE_TAG"]
    addresses = {}
    for image in images.values():
        addresses[short(image)] = f"{image}:{tag}"
    return addresses


def push(
    services: list[str], variables: dict[str, str], platform: str = ""
) -> dict[str, str]:
    """Build images and push them; return each image's address by its short name.

    Args:
        platform: another platform than this machine's.

    Raises:
        StackError: what goes into the images is not committed, the build failed, or
            the registry refused the images.
    """
    if variables["IMAGE_TAG"] == builds.tag():
        for path in builds.uncommitted():
            raise StackError(
                f"{path} is not as in HEAD: commit it, then push the images."
            )
    tag = variables["IMAGE_TAG"] + buildx.suffix(platform)
    variables = variables | {"IMAGE_TAG": tag}
    images = buildx.images(services, variables)
    pushed = bake("push", images, variables, platform)
    addresses = {}
    for service, image in images.items():
        digest = pushed[service]["containerimage.digest"]
        addresses[short(image)] = f"{image}@{digest}"
    return addresses


def bake(
    verb: str, images: dict[str, str], variables: dict[str, str], platform: str = ""
) -> dict[str, dict[str, str]]:
    """Let Docker build images, or push them too; return its metadata by service.

    Raises:
        StackError: the build failed, or the registry refused the images.
    """
    driver = buildx.driver(variables)
    if verb == "push" and driver == "docker":
        print(
            "Docker's built-in builder pushes without attestations and cache: for"
            " those, run `docker buildx create --use` first.",
            flush=True,
        )
    names = ", ".join(images)
    failed = f"docker buildx bake did not {verb} {names}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "metadata.json")
        command = buildx.arguments(verb, images, driver, file, platform)
        try:
            docker(*command, variables=variables, otherwise=failed)
        except DockerFailed as failure:
            raise registry.explained(failure) from failure
        text = file.read_text("utf-8")
    metadata: dict[str, dict[str, str]] = json.loads(text)
    return metadata


def short(image: str) -> str:
    """Return the short name of an image in the workflow: `api`, `mlflow`, `pipeline`."""
    name = image.rpartition("/")[2]
    return name.removeprefix(PREFIX)


def combine(variables: dict[str, str]) -> dict[str, str]:
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


def release(variables: dict[str, str]) -> dict[str, str]:
    """Move `latest`, and report which of the images can only be pulled with a login.

    Raises:
        StackError: an image of this commit is missing, or origin or the registry
            refuses.
    """
    commit = builds.tag().removeprefix("sha-")
    images = buildx.images(list(SERVICES), variables)
    # The API's moves last: the others of its commit are there then.
    ordered = [images[service] for service in reversed(SERVICES)]
    digests = latest.move(ordered, commit, variables)
    if not digests:
        return {}
    if not _is_private():
        report_hidden(digests, variables)
    # In the order of the services, as everywhere else.
    addresses = [f"{image}@{digests[image]}" for image in images.values()]
    return {"digests": " ".join(addresses)}


def report_hidden(digests: dict[str, str], variables: dict[str, str]) -> None:
    """Add to the run's summary which packages are not public, and where to change it."""
    repository = variables.get("GITHUB_REPOSITORY", "")
    described = _event().get("repository", {})
    owner = described.get("owner", {})
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
            # The images are released, whoever can see them.
            summarize(str(error))


def _is_private() -> bool:
    """Return whether the repository is private, as its images should be then."""
    return bool(_event().get("repository", {}).get("private"))


def _event() -> dict[str, dict[str, dict[str, str]]]:
    """Return GitHub's description of the event, empty outside a workflow."""
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    text = Path(path).read_text("utf-8")
    event: dict[str, dict[str, dict[str, str]]] = json.loads(text)
    return event


if __name__ == "__main__":
    sys.exit(console.run(main))
