"""What runs, compared with what a release declares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.stack import compose, replicas
from scripts.stack.released import Release
from scripts.stack.released_images import docker, identity
from scripts.stack.settings import Settings, StackError

# A container that restarts by itself is a matter of its health, not of drift.
RUNNING = ("running", "restarting")
SERVICE = "com.docker.compose.service"
# Containers of `docker compose run` are nobody's drift.
ONE_OFF = "com.docker.compose.oneoff"


@dataclass(frozen=True)
class Container:
    """A container: its service, whether it runs, its image's name and ID."""

    service: str
    runs: bool
    image: str
    image_id: str


@dataclass(frozen=True)
class Drift:
    """The services that differ, and how many containers each service should have."""

    services: list[str]
    replicas: dict[str, int]


def containers(settings: Settings) -> list[Container]:
    """Return the containers of the stack, running or not.

    Raises:
        StackError: Docker does not answer.
    """
    listed = compose.run(settings, "ps", "--all", "--quiet", quiet=True)
    if listed.returncode:
        raise StackError("Docker does not answer: the next check tries again.")
    ids = listed.stdout.split()
    present = []
    # One that was removed in between is not in the answer.
    answer = ""
    if ids:
        answer = docker("inspect", *ids).stdout
    for container in json.loads(answer or "[]"):
        labels = container["Config"]["Labels"]
        if labels.get(ONE_OFF) == "True":
            continue
        present.append(
            Container(
                service=labels[SERVICE],
                runs=container["State"]["Status"] in RUNNING,
                image=container["Config"]["Image"],
                image_id=container["Image"],
            )
        )
    return present


def compare(settings: Settings, release: Release, ran: Mapping[str, int]) -> Drift:
    """Compare what runs with a release.

    A container of a service that differs was removed or stopped, or does not run the
    image that the release declares.

    Args:
        ran: how many containers each service had when nothing differed. Compose keeps
            nowhere that somebody has scaled a service up.

    Raises:
        StackError: Docker does not answer.
    """
    images = _images(release)
    by_service: dict[str, list[Container]] = {}
    for container in containers(settings):
        others = by_service.setdefault(container.service, [])
        others.append(container)
    services = compose.with_proxy(settings)
    described = compose.described(settings, services)
    declared = replicas.declared(described)
    different = []
    wanted = {}
    for service in services:
        present = by_service.get(service, [])
        least = max(declared[service], ran.get(service, 0))
        wanted[service] = max(least, len(present))
        image = described[service].get("image", "")
        expected = (image, images[image]) if image in images else None
        wrong = [one for one in present if not _is_right(one, expected)]
        if wrong or len(present) < least:
            different.append(service)
    return Drift(different, wanted)


def _images(release: Release) -> dict[str, str]:
    """Return the ID of each image of a release, by the name that Compose uses."""
    images = {}
    for address in release.images:
        name, _, _ = address.partition("@")
        images[f"{name}:{release.tag}"] = identity(address)
    return images


def _is_right(container: Container, expected: tuple[str, str] | None) -> bool:
    """Return whether a container runs, and from the expected image.

    Args:
        expected: the name and the ID of the image; None if the release has none for it.
    """
    if expected and expected != (container.image, container.image_id):
        return False
    return container.runs
