"""The stack in containers, by way of `docker compose`."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scripts.stack import admin_key, builds, proxy_settings, reconciler, verify
from scripts.stack.programs import has_models
from scripts.stack.proxy_settings import PROXY
from scripts.stack.seen import show
from scripts.stack.settings import (
    MLFLOW_AUTH,
    MLFLOW_PROXY,
    ROOT,
    Settings,
    StackError,
    UsageError,
)

WAIT_SECONDS = "300"
# Services that have a port on this machine, and the worker, which the API uses.
SERVICES = [
    "mlops-api",
    "trainer",
    "mlflow-server",
    "prometheus",
    "grafana",
    "node-exporter",
    "cadvisor",
]
# Those that a profile adds.
PROFILES = {
    "alerts": ("alertmanager",),
    "cluster": ("dask-scheduler", "dask-worker"),
    "follow": ("reconciler",),
    "scale": ("postgres", "s3"),
    MLFLOW_AUTH: (MLFLOW_PROXY,),
    "tracing": ("jaeger",),
}

# The service that runs once before the others.
PREPARE = "prepare"


def services(settings: Settings) -> list[str]:
    """Return the services that are to run.

    Raises:
        UsageError: a service that is left out does not exist.
    """
    choices = list(SERVICES)
    for profile in settings.profiles:
        choices += PROFILES.get(profile, ())
    unknown = set(settings.without) - set(choices)
    if unknown:
        raise UsageError(
            f"--without {min(unknown)}: there is no such service; there are"
            f" {', '.join(choices)}."
        )
    return [name for name in choices if name not in settings.without]


def with_proxy(settings: Settings) -> list[str]:
    """Return the services that are to run, and the API's proxy."""
    chosen = services(settings)
    if "mlops-api" not in settings.without:
        chosen.append(PROXY)
    return chosen


def running(settings: Settings) -> list[str]:
    """Return the services with a running container."""
    done = run(settings, "ps", "--services", "--status", "running", quiet=True)
    ours = set(SERVICES).union(*PROFILES.values())
    return [name for name in done.stdout.splitlines() if name in ours]


def start(settings: Settings, build: bool = True) -> None:
    """Build what has changed, start everything and wait until it is healthy.

    Args:
        build: False means that the images are here, and none is built.

    Raises:
        StackError: a setting of the proxy cannot be used, or something does not become
            healthy. Ctrl-C takes down what it started.
    """
    settings = proxy_settings.applied(settings)
    _require_profiles(settings)
    _require_usable_proxies(settings)
    # By name: Compose asks for the image even of a service that is scaled to 0.
    chosen = with_proxy(settings)
    # Without a model the API runs and answers so, but is never healthy.
    never_healthy = () if has_models() else ("mlops-api", PROXY)
    ready = [name for name in chosen if name not in never_healthy]
    unready = [name for name in chosen if name in never_healthy]
    running_before = running(settings)
    doing = "building and starting" if build else "starting"
    print(f"{doing} the containers …", flush=True)
    try:
        done = _up(settings, ready, unready, build)
    except KeyboardInterrupt:
        if not running_before:
            run(settings, "down")
        raise
    if done.returncode:
        raise StackError(
            "not every container became healthy; see above, `--logs SERVICE` and"
            " `--status`. `--stop` takes down what runs."
        )
    seen = verify.everything(settings, services(settings))
    show(seen + admin_key.seen(settings))
    print("The API and MLflow follow `git pull`. --stop ends it, the data stay.")


def _up(
    settings: Settings, ready: list[str], unready: list[str], build: bool
) -> subprocess.CompletedProcess[str]:
    """Start services and wait for those that can become healthy; return the last call."""
    up = ("up", "--detach", "--no-build", "--remove-orphans")
    wait = ("--wait", "--wait-timeout", WAIT_SECONDS)
    if build:
        built = _build(settings, [*ready, *unready])
        if built and built.returncode:
            return built
    if not unready:
        return run(settings, *up, *wait, *ready)
    done = run(settings, "run", "--rm", PREPARE)
    if ready and not done.returncode:
        done = run(settings, *up, *wait, *ready)
    for name in unready:  # One by one: the proxy would wait until the API is healthy.
        if not done.returncode:
            done = run(settings, *up, "--no-deps", name)
    if not done.returncode:
        verify.await_refusal(settings)
    return done


def _build(
    settings: Settings, chosen: list[str]
) -> subprocess.CompletedProcess[str] | None:
    """Build the images of services and of those that they depend on, if they have any.

    `up --build` would build an image for every service that uses it, record the wrong one
    of those in the containers, and recreate them at the next `up`.
    """
    builders = builds.builders(described(settings, chosen), chosen)
    return run(settings, "build", *builders) if builders else None


def described(settings: Settings, chosen: Sequence[str]) -> dict[str, Any]:
    """Return what Compose's files say of services, and of those that they depend on.

    Raises:
        StackError: Compose cannot read its files.
    """
    listed = run(settings, "config", "--format", "json", *chosen, quiet=True)
    if listed.returncode:
        raise StackError(listed.stderr.strip())
    services: dict[str, Any] = json.loads(listed.stdout)["services"]
    return services


def stop(settings: Settings) -> bool:
    """Stop and remove the containers of every profile, if there are any; volumes stay."""
    settings = replace(settings, profiles=("*",))
    listed = run(settings, "ps", "--all", "--quiet", quiet=True)
    if not listed.stdout.strip():
        return False
    done = run(settings, "down", "--remove-orphans")
    if done.returncode:
        raise StackError("`docker compose down` failed; see above.")
    return True


def status(settings: Settings) -> None:
    """Print the containers' state."""
    columns = "table {{.Service}}\t{{.Status}}\t{{.Ports}}"
    run(settings, "ps", "--all", "--format", columns)


def logs(settings: Settings, service: str) -> None:
    """Print the last lines of one service, or of all."""
    chosen = [service] if service else []
    if run(settings, "logs", "--tail", "100", *chosen).returncode:
        raise StackError(
            f"there is no log of {service}: `--status` says what there is."
        )


def _require_profiles(settings: Settings) -> None:
    listed = run(settings, "config", "--profiles", quiet=True)
    existing = listed.stdout.split()
    for profile in settings.profiles:
        if profile not in existing:
            names = ", ".join(existing) or "none"
            raise UsageError(
                f"--with {profile}: docker-compose.yml has these profiles: {names}."
            )
    if reconciler.PROFILE in settings.profiles:
        reconciler.require_address(settings)


def _require_usable_proxies(settings: Settings) -> None:
    """Let HAProxy check its settings, if there are any."""
    for check in proxy_settings.checks(settings):
        command = ("run", "--rm", "--no-deps", check.service, *check.command)
        done = run(settings, *command, quiet=True)
        if done.returncode:
            fault = proxy_settings.first_fault(done.stderr)
            names = ", ".join(check.names)
            raise StackError(f"{check.service} cannot use {names}: {fault}")


def run(
    settings: Settings, *arguments: str, quiet: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `docker compose` in the checkout.

    Args:
        quiet: return the output instead of printing it.
    """
    command = ["docker", "compose"]
    if settings.offset:
        command += ["--project-name", f"{folder_name()}-{settings.offset}"]
    for profile in settings.profiles:
        command += ["--profile", profile]
    output = subprocess.PIPE if quiet else None
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=builds.labels() | settings.environment(),
        stdout=output,
        stderr=output,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def folder_name() -> str:
    """Return the name that Compose gives to the project of this checkout."""
    name = ""
    for letter in ROOT.name.lower():
        if letter.isalnum() or letter in "-_":
            name += letter
    return name.lstrip("-_") or "mlops"
