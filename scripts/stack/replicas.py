"""How many containers services have."""

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.stack import compose
from scripts.stack.compose import WAIT_SECONDS
from scripts.stack.settings import Settings


def declared(described: Mapping[str, Any]) -> dict[str, int]:
    """Return how many containers Compose's files declare for services.

    Args:
        described: what `compose.described` returns.
    """
    numbers = {}
    for name, service in described.items():
        deploy = service.get("deploy", {})
        numbers[name] = int(service.get("scale", deploy.get("replicas", 1)))
    return numbers


def bring_up(
    settings: Settings, services: Sequence[str], replicas: Mapping[str, int]
) -> bool:
    """Start services from images that are here; return whether they become healthy.

    Args:
        services: the services, if any; those that they depend on are started, too.
        replicas: how many containers each service should have, without exception:
            Compose would bring one that the others depend on back to what is declared.

    Raises:
        StackError: Compose cannot read its files.
    """
    if not services:
        return True  # without names, Compose would start every service
    up = ("up", "--detach", "--no-build", "--wait", "--wait-timeout", WAIT_SECONDS)
    scales = []
    for service in compose.described(settings, services):
        if service in replicas:
            scales += ["--scale", f"{service}={replicas[service]}"]
    done = compose.run(settings, *up, *scales, *services, quiet=True)
    return not done.returncode
