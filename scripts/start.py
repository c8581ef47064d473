"""Starts and stops the stack: `start-mlops.sh` and `start-mlops.ps1` run this."""

import argparse
import sys
from typing import Any

from scripts import console
from scripts.stack import (
    admin_key,
    checks,
    compose,
    follow,
    local,
    other_names,
    programs,
    reconciler,
    released,
    verify,
)
from scripts.stack.seen import show
from scripts.stack.settings import PORTS, ROOT, Settings, StackError, UsageError
from scripts.stack.state import STARTING


def main() -> int:
    """Run the command of the flags; return 0, 1 for a failure, 2 for a wrong use."""
    flags = _flags()
    try:
        profiles = tuple(flags.profiles)
        settings = Settings.read(flags.port_offset, _left_out(flags), profiles)
        if flags.stop:
            _stop(settings)
        elif flags.status:
            _status(settings)
        elif flags.logs is not None:
            _logs(settings, flags.logs)
        elif flags.key:
            print(admin_key.find(settings))
        else:
            return _start(other_names.applied(settings), flags)
    except KeyboardInterrupt:
        print("stopped.")
    except StackError as error:
        sys.stdout.flush()  # so that the error follows the earlier output
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="start-mlops",
        description=(
            "Start the API, MLflow with the whole history, Prometheus and Grafana: in"
            " containers if Docker runs, otherwise as local processes."
        ),
        allow_abbrev=False,
    )
    _add_actions(parser)
    add = parser.add_argument
    add("--local", action="store_true", help="run local processes even if Docker runs")
    _add_releases(parser)
    _add_services(parser)
    number: dict[str, Any] = {"type": int, "default": 0, "metavar": "N"}
    add("--port-offset", help="add N to every port", **number)
    flags = parser.parse_args()
    if flags.follow:
        _require_releases(parser, flags)
    return flags


def _add_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions that exclude each other, and replace the start."""
    add = parser.add_mutually_exclusive_group().add_argument
    add("--stop", action="store_true", help="stop the stack; data is kept")
    add("--status", action="store_true", help="show what is running")
    logs: dict[str, Any] = {"nargs": "?", "const": "", "metavar": "SERVICE"}
    add("--logs", help="print the last lines of the logs", **logs)
    add("--key", action="store_true", help="print the API's key and exit")
    add("--doctor", action="store_true", help="check this machine and exit")


def _add_releases(parser: argparse.ArgumentParser) -> None:
    """Add the flags that start the images of a release."""
    add = parser.add_argument
    add(
        "--released",
        action="store_true",
        help="run the images that deployment/release.json declares; build none",
    )
    add(
        "--follow",
        action="store_true",
        help="with --released: keep running, follow new releases, and mend what differs",
    )


def _add_services(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose the services to start."""
    add = parser.add_argument
    repeatable: dict[str, Any] = {"action": "append", "default": []}
    add(
        "--with",
        dest="profiles",
        metavar="PROFILE",
        help="also start a profile of docker-compose.yml; repeatable",
        **repeatable,
    )
    add(
        "--without",
        metavar="SERVICE",
        help="leave out a service; repeatable",
        **repeatable,
    )
    add(
        "--only",
        choices=compose.SERVICES,
        metavar="SERVICE",
        help="start only this service; repeatable",
        **repeatable,
    )


def _require_releases(
    parser: argparse.ArgumentParser, flags: argparse.Namespace
) -> None:
    """Check that --follow follows something, and add the profile that it needs."""
    if not flags.released:
        parser.error("--follow needs --released: it follows releases.")
    if reconciler.PROFILE not in flags.profiles:
        flags.profiles = flags.profiles + [reconciler.PROFILE]


def _left_out(flags: argparse.Namespace) -> tuple[str, ...]:
    """Return the services that are not to run."""
    left_out = list(flags.without)
    if flags.only:
        left_out += [name for name in compose.SERVICES if name not in flags.only]
    return tuple(left_out)


def _start(settings: Settings, flags: argparse.Namespace) -> int:
    docker = checks.docker()
    mode = "local" if flags.local or docker.remedy else "docker"
    if mode == "local":
        if flags.released:
            raise StackError("--released needs Docker: a release consists of images.")
        if not flags.local:
            print(f"Docker: {docker.state}. The stack runs as local processes.")
        if settings.profiles:
            raise StackError("--with needs Docker: profiles are sets of containers.")
        compose.services(settings)  # refuses services that do not exist
        programs.require(flags.only)
        services = local.services(settings)
        running = list(local.running(settings))
    else:
        services = compose.services(settings)
        running = compose.running(settings)
    if not _passes_checks(settings, mode, services, running, flags.doctor):
        return 1
    if flags.doctor:
        return 0
    settings = admin_key.added_to(settings)
    if mode == "docker":
        _start_containers(settings, flags)
    elif running:
        _show_running(settings, [name for name in services if name in running])
    else:
        local.start(settings)
    return 0


def _start_containers(settings: Settings, flags: argparse.Namespace) -> None:
    if flags.follow:
        follow.follow(settings)
    elif flags.released:
        compose.start(released.applied(settings), build=False)
    else:
        compose.start(settings)


def _passes_checks(
    settings: Settings,
    mode: str,
    services: list[str],
    running: list[str],
    doctor: bool,
) -> bool:
    """Check this machine and print the results; the doctor also prints free ports."""
    needed = [name for name in published(services, mode) if name not in running]
    passes = True
    for check in checks.all_of(settings, mode, needed):
        if check.remedy:
            mark = "!!" if check.optional else "no"
            print(f"  {mark}  {check.name}: {check.state}; {check.remedy}")
            passes = passes and check.optional
        elif doctor or not check.name.startswith("Port"):
            print(f"  ok  {check.name}: {check.state}")
    return passes


def published(services: list[str], mode: str) -> list[str]:
    """Return the services, and parts of them, that need a port of this machine."""
    names = []
    for name in services:
        if name in PORTS and (mode == "local" or name != "trainer"):
            names.append(name)
    if mode == "local" and "mlflow-server" in names:
        names.append("mlflow-history")
    return names


def _show_running(settings: Settings, services: list[str]) -> None:
    if not services:
        raise StackError(STARTING)
    print("it runs already:")
    show(verify.everything(settings, services) + admin_key.seen(settings))


def _stop(settings: Settings) -> None:
    stopped = local.stop(settings)
    if not checks.docker().remedy:
        stopped = compose.stop(settings) or stopped
    print("stopped." if stopped else "nothing ran.")


def _status(settings: Settings) -> None:
    there = local.running(settings)
    if there:
        local.status(settings)
    elif not checks.docker().remedy and compose.running(settings):
        compose.status(settings)
    else:
        print(f"nothing runs from {ROOT}.")


def _logs(settings: Settings, service: str) -> None:
    if not checks.docker().remedy and compose.running(settings):
        compose.logs(settings, service)
    else:
        local.logs(service)


if __name__ == "__main__":
    sys.exit(console.run(main))
