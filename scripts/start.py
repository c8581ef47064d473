"""What `start-mlops.sh` and `start-mlops.ps1` run: the whole stack, with Docker or
without.
"""

import argparse
import sys

from scripts import console
from scripts.stack import admin_key, checks, compose, local, other_names, verify
from scripts.stack.settings import ROOT, Settings, StackError
from scripts.stack.state import STARTING


def main() -> int:
    """Do what the flags say; return 0, 1 for a failure, 2 for a wrong use."""
    flags = _flags()
    try:
        chosen = (flags.port_offset, _left_out(flags), tuple(flags.profiles))
        settings = Settings.read(*chosen)
        if flags.stop:
            _stop(settings)
        elif flags.status:
            _status(settings)
        elif flags.logs is not None:
            _logs(settings, flags.logs)
        elif flags.key:
            print(admin_key.find(settings))
        else:
            return _start(other_names.applied(settings), flags.local, flags.doctor)
    except KeyboardInterrupt:
        print("stopped.")
    except StackError as error:
        sys.stdout.flush()  # what was said before it comes before it, wherever both lead
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="start-mlops",
        description=(
            "Start the API, MLflow over the whole history, Prometheus and Grafana: in "
            "containers where Docker runs, else as local processes."
        ),
    )
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--stop", action="store_true", help="end what runs; data stay")
    does.add_argument("--status", action="store_true", help="say what runs")
    does.add_argument(
        "--logs", nargs="?", const="", metavar="SERVICE", help="print the last lines"
    )
    does.add_argument(
        "--key", action="store_true", help="print the API's key, start nothing"
    )
    does.add_argument(
        "--doctor", action="store_true", help="check this machine, start nothing"
    )
    parser.add_argument(
        "--local", action="store_true", help="local processes, even with Docker"
    )
    parser.add_argument(
        *("--with",),
        dest="profiles",
        action="append",
        default=[],
        metavar="PROFILE",
        help="a profile of docker-compose.yml; can be repeated",
    )
    parser.add_argument(
        *("--without",),
        action="append",
        default=[],
        metavar="SERVICE",
        help="leave a service out; can be repeated",
    )
    parser.add_argument(
        *("--only",),
        action="append",
        choices=compose.SERVICES,
        metavar="SERVICE",
        help="start this service and no other; can be repeated",
    )
    parser.add_argument(
        "--port-offset", type=int, default=0, metavar="N", help="add N to every port"
    )
    return parser.parse_args()


def _left_out(flags: argparse.Namespace) -> tuple[str, ...]:
    """Return the services that are not to run."""
    others = [
        name for name in compose.SERVICES if flags.only and name not in flags.only
    ]
    return (*flags.without, *others)


def _start(settings: Settings, local_mode: bool, doctor: bool) -> int:
    docker = checks.docker()
    mode = "local" if local_mode or docker.remedy else "docker"
    if mode == "local" and not local_mode:
        print(f"Docker: {docker.found}. The stack runs as local processes.")
    if mode == "local" and settings.profiles:
        raise StackError("--with needs Docker: profiles are sets of containers.")
    services = (
        compose.services(settings) if mode == "docker" else local.services(settings)
    )
    there = (
        compose.running(settings) if mode == "docker" else list(local.running(settings))
    )
    published = [name for name in services if mode == "local" or name != "trainer"]
    if mode == "local" and "mlflow-server" in published:
        published.append("mlflow-history")
    needed = [name for name in published if name not in there]
    wrong = 0
    for check in checks.all_of(settings, mode, needed):
        wrong += bool(check.remedy) and not check.optional
        if check.remedy:
            mark = "!!" if check.optional else "no"
            print(f"  {mark}  {check.name}: {check.found}; {check.remedy}")
        elif doctor or not check.name.startswith("Port"):
            print(f"  ok  {check.name}: {check.found}")
    if wrong or doctor:
        return int(bool(wrong))
    settings = admin_key.added_to(settings)
    if mode == "docker":
        compose.start(settings)
    elif there:
        started = [name for name in services if name in there]
        if not started:
            raise StackError(STARTING)
        print("it runs already:")
        verify.show(verify.everything(settings, started) + admin_key.seen(settings))
    else:
        local.start(settings)
    return 0


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
