"""Building the images, and pushing those of one platform."""

import json
import tempfile
from pathlib import Path

from scripts.images import buildx, registry
from scripts.images.buildx import DockerFailed, docker
from scripts.stack import builds
from scripts.stack.settings import StackError, Variables

# The services of docker-compose.yml that have an image of their own.
SERVICES = ("mlops-api", "mlflow-server", "trainer")
PREFIX = "mlops-"
# The platforms whose images are added to those of the usual one, linux/amd64.
OTHER_PLATFORMS = ("linux/arm64",)

Addresses = dict[str, str]
"""The addresses of images, by their short names."""

Metadata = dict[str, dict[str, str]]
"""What Docker reports of the images that it built, by service."""


def build(services: list[str], variables: Variables) -> Addresses:
    """Build images into the engine; return each image's address by its short name."""
    images = buildx.images(services, variables)
    bake("build", images, variables)
    tag = variables["IMAGE_TAG"]
    addresses = {}
    for image in images.values():
        addresses[short(image)] = f"{image}:{tag}"
    return addresses


def push(services: list[str], variables: Variables, platform: str = "") -> Addresses:
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
    verb: str, images: dict[str, str], variables: Variables, platform: str = ""
) -> Metadata:
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
    metadata: Metadata = json.loads(text)
    return metadata


def short(image: str) -> str:
    """Return the short name of an image in the workflow: `api`, `mlflow`, `pipeline`."""
    name = image.rpartition("/")[2]
    return name.removeprefix(PREFIX)
