"""Builds the project's images, pushes them, moves `latest`: `nox -s images -- build`.

Docker bakes them out of docker-compose.yml; their tag is the commit's, unless IMAGE_TAG is set.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from pipeline.git import GitError, git
from scripts import console
from scripts.ci.outputs import put
from scripts.stack import builds, buildx
from scripts.stack.buildx import docker
from scripts.stack.settings import ROOT, Settings, StackError

SERVICES = ("mlops-api", "mlflow-server", "trainer")
PREFIX = "mlops-"


def main() -> int:
    """Do what the arguments say; return 0, 1 for a failure, 2 for a wrong use."""
    parser = argparse.ArgumentParser(prog="images", description=console.first_line(__doc__))
    does = parser.add_subparsers(dest="verb", required=True)
    for verb, help_ in (
        ("build", "build images into the engine"),
        ("push", "build images and push them, with provenance and a list of what is inside"),
    ):
        some = does.add_parser(verb, help=help_)
        some.add_argument("services", nargs="*", metavar="SERVICE", help=", ".join(SERVICES))
    does.add_parser("latest", help="move `latest` to this commit, if it is still main's newest")
    flags = parser.parse_args()
    services = getattr(flags, "services", None) or list(SERVICES)
    if unknown := sorted(set(services) - set(SERVICES)):
        parser.error(f"{unknown[0]}: no image is built for it; there are {', '.join(SERVICES)}.")
    try:
        settings = Settings.read()
        variables = builds.labels() | settings.variables | builds.names(settings)
        moved = flags.verb == "latest"
        put(**(latest(variables) if moved else bake(flags.verb, services, variables)))
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def bake(verb: str, services: list[str], variables: dict[str, str]) -> dict[str, str]:
    """Build images, or push them too; return what the workflow is told of those that were pushed.

    Raises:
        StackError: the build failed, or the registry refused the images.
    """
    if verb == "push" and variables["IMAGE_TAG"] == builds.tag():
        if changed := builds.uncommitted():
            raise StackError(f"{changed[0]} is not as in HEAD: commit it, then push the images.")
    images, driver = buildx.images(services, variables), buildx.driver(variables)
    if verb == "push" and driver == "docker":
        print(
            "Docker's built-in builder pushes without attestations and cache: for those, run "
            "`docker buildx create --use` first.",
            flush=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        metadata = Path(folder) / "metadata.json"
        docker(
            *buildx.arguments(verb, images, driver, metadata),
            variables=variables,
            otherwise=f"docker buildx bake did not {verb} {', '.join(services)}",
        )
        if verb == "build":
            tagged = [f"{image}:{variables['IMAGE_TAG']}" for image in images.values()]
            return {"image": tagged[0]} if len(tagged) == 1 else {}
        pushed = json.loads(metadata.read_text("utf-8"))
    return outputs({images[name]: pushed[name]["containerimage.digest"] for name in services})


def outputs(digests: dict[str, str]) -> dict[str, str]:
    """Return the step's outputs: one an image, and of a single image its name and digest too."""
    found = {
        image.rpartition("/")[2].removeprefix(PREFIX): f"{image}@{digest}"
        for image, digest in digests.items()
    }
    if len(digests) == 1:
        ((found["name"], found["digest"]),) = digests.items()
    return found


def latest(variables: dict[str, str]) -> dict[str, str]:
    """Move `latest` of all images to this commit's, unless main has a newer one.

    Raises:
        StackError: an image of this commit is missing, or origin or the registry refuses.
    """
    tag = builds.tag()
    sources = {
        image: docker(
            *("buildx", "imagetools", "inspect", f"{image}:{tag}"),
            *("--format", "{{json .Manifest.Digest}}"),
            variables=variables,
            otherwise=f"{image}:{tag} is not in the registry, push it first",
        ).strip('"\n')
        for image in buildx.images(list(SERVICES), variables).values()
    }
    if (tip := tip_of_main()) != tag.removeprefix("sha-"):
        print(f"`latest` stays where it is: main has gone on to {tip[:9]}, whose images follow.")
        return {}
    for image, digest in sources.items():
        docker(
            *("buildx", "imagetools", "create", "--tag", f"{image}:latest", f"{image}@{digest}"),
            variables=variables,
            otherwise=f"{image}:latest could not be moved",
        )
    return {"digests": " ".join(f"{image}@{digest}" for image, digest in sources.items())}


def tip_of_main() -> str:
    """Return the commit that origin's main is at.

    Raises:
        StackError: origin does not answer, or has no such branch.
    """
    try:
        return git(ROOT, "ls-remote", "--exit-code", "origin", "refs/heads/main").split()[0]
    except GitError as error:
        raise StackError(
            f"the tip of origin's main cannot be read ({error}): is origin right, can you fetch?"
        ) from error


if __name__ == "__main__":
    sys.exit(console.run(main))
