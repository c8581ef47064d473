"""A stack for the duration of a check, from existing images."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from scripts.stack import builds, compose, proxy_settings
from scripts.stack.settings import Settings, StackError

DOWN = ("down", "--volumes", "--remove-orphans")


@contextmanager
def stack(settings: Settings) -> Iterator[tuple[Settings, list[str]]]:
    """Start every service; yield the stack's settings and the names of its services.

    The stack is always taken down; after a failure each service's log is printed first.

    Raises:
        StackError: it cannot be started, does not become healthy, or cannot be taken
            down.
    """
    name = settings.variables.get("COMPOSE_PROJECT_NAME") or compose.folder_name()
    own = {"COMPOSE_PROJECT_NAME": f"{name}-smoke"} | builds.names(settings)
    settings = replace(settings, variables=settings.variables | own)
    settings = proxy_settings.applied(settings)
    services = _services(settings)
    _pull(settings)
    compose.run(settings, *DOWN, quiet=True)  # An earlier call may have been killed.
    try:
        _start(settings)
        yield settings, services
    except Exception:
        _show_logs(settings, services)
        raise
    finally:
        if compose.run(settings, *DOWN).returncode:
            raise StackError("the stack could not be taken down; see above.")


def _services(settings: Settings) -> list[str]:
    done = compose.run(settings, "config", "--services", quiet=True)
    if done.returncode:
        raise StackError(f"the compose file cannot be used: {done.stderr.strip()}")
    return done.stdout.split()


def _pull(settings: Settings) -> None:
    if compose.run(settings, "pull", "--quiet", "--policy", "missing").returncode:
        tag = settings.variables["IMAGE_TAG"]
        raise StackError(
            "an image is neither here nor in its registry; see above."
            f" `./scripts/nox.sh -s images -- build` builds those with the tag {tag}."
        )


def _start(settings: Settings) -> None:
    up = ["up", "--detach", "--no-build"]
    wait = ["--wait", "--wait-timeout", compose.WAIT_SECONDS]
    if compose.run(settings, *up, *wait).returncode:
        raise StackError(
            "not every container started and became healthy; see above and the logs."
        )


def _show_logs(settings: Settings, services: list[str]) -> None:
    """Print the logs, folded where GitHub shows them."""
    begin = "--- "
    end = ""
    if os.environ.get("GITHUB_ACTIONS"):
        begin = "::group::"
        end = "::endgroup::"
    compose.run(settings, "ps", "--all", "--format", "table {{.Service}}\t{{.Status}}")
    for service in services:
        print(f"{begin}log of {service}", flush=True)
        compose.run(settings, "logs", "--no-color", "--tail", "200", service)
        print(end, flush=True)
