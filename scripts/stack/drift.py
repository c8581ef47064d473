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
    declared = replicas.declared(settings, services)
    different = []
    wanted = {}
    for service in services:
        present = by_service.get(service, [])
        least = max(declared[service], ran.get(service, 0))
        wanted[service] = max(least, len(present))
        wrong = [one for one in present if not _is_right(one, images)]
        if wrong or len(present) < least:
            different.append(service)
    return Drift(different, wanted)


def _images(release: Release) -> dict[str, tuple[str, str]]:
    """Return the full name and the ID of each image of a release, by its bare name."""
    images = {}
    for address in release.images:
        name, _, _ = address.partition("@")
        images[name] = (f"{name}:{release.tag}", identity(address))
    return images


def _is_right(container: Container, images: dict[str, tuple[str, str]]) -> bool:
    name, _, _ = container.image.rpartition(":")
    expected = images.get(name)
    if expected and expected != (container.image, container.image_id):
        return False
    return container.runs
