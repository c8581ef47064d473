"""The stack as local processes, for machines without Docker.

The addresses and the checks are the same as with containers. One process supervises
the others and ends them all; `build/stack-*` has its number.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

from scripts.loopback import answers, refuses
from scripts.stack import admin_key, environment, processes, programs, verify, windows
from scripts.stack.processes import GRACE_SECONDS, Service
from scripts.stack.programs import Program
from scripts.stack.seen import show
from scripts.stack.settings import ROOT, Settings, StackError
from scripts.stack.state import SUPERVISOR, State

START_SECONDS = 120
STOP_SECONDS = GRACE_SECONDS + 10
SHOWN_LINES = 100


def services(settings: Settings) -> list[str]:
    """Return the services that can run here, in the order in which they start."""
    return [name for name in programs.available() if name not in settings.without]


def running(settings: Settings) -> dict[str, int]:
    """Return the process numbers of the supervisor and the services, if they run."""
    return State(settings).read()


def start(settings: Settings) -> None:
    """Start everything, show where it is, and stay until Ctrl-C or `--stop`.

    Raises:
        StackError: something can't be started, or ended by itself.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.name == "posix":
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    windows.interrupt_when_console_ends()
    with State(settings).held():
        python = environment.python(settings)
        if os.name == "nt":
            watch = threading.Thread(
                target=_interrupt_when_asked, args=[settings], daemon=True
            )
            watch.start()
        with _services(settings, str(python)) as running:
            seen = verify.everything(settings, list(running))
            show(seen + admin_key.seen(settings))
            print(
                "The API and MLflow follow `git pull`. Ctrl-C or --stop ends it.",
                flush=True,
            )
            ended = _wait_for_an_end(running)
            raise StackError(f"{ended} ended by itself: see {programs.log(ended)}.")


def _wait_for_an_end(running: dict[str, Service]) -> str:
    """Return the name of the first service that ends."""
    while True:
        for name, service in running.items():
            if service.has_ended():
                return name
        time.sleep(1)


def _interrupt_when_asked(settings: Settings) -> None:
    while not State(settings).is_asked_to_stop():
        time.sleep(0.2)
    signal.raise_signal(signal.SIGINT)


def stop(settings: Settings) -> bool:
    """End the supervisor, and with it everything; return whether there was one.

    Raises:
        StackError: it does not end.
    """
    state = State(settings)
    numbers = state.read()
    if not numbers:
        return False
    supervisor = numbers[SUPERVISOR]
    if os.name == "posix":
        os.kill(supervisor, signal.SIGTERM)
    else:
        state.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    while state.is_held():
        if time.monotonic() > deadline:
            processes.end_by_force(supervisor)
            raise StackError(
                f"process {supervisor} did not end within {STOP_SECONDS} s and"
                " was killed: start again, to see whether a service is left."
            )
        time.sleep(0.2)
    return True


def status(settings: Settings) -> None:
    """Print each service's process, and whether it runs."""
    for name, number in running(settings).items():
        state = "runs" if processes.is_alive(number) else "has ended"
        print(f"  {name:<14} process {number:<8} {state}")


def logs(service: str) -> None:
    """Print the last lines of one service, or of all."""
    for name in [service] if service else programs.available():
        file = programs.log(name)
        if not file.is_file():
            raise StackError(f"there is no log of {name}: {file} is missing.")
        text = file.read_text("utf-8", "replace")
        lines = text.splitlines()
        for line in lines[-SHOWN_LINES:]:
            print(f"{name} | {line}")


@contextlib.contextmanager
def _services(settings: Settings, python: str) -> Iterator[dict[str, Service]]:
    """Run all services until the block ends; leave nothing behind."""
    running: dict[str, Service] = {}
    names = services(settings)
    logs_folder = ROOT / "logs"
    logs_folder.mkdir(exist_ok=True)
    try:
        if "mlflow-server" in names:
            _build_database(python, settings)
        for name in names:
            program = programs.find(name, settings, python)
            _start_program(program, settings, running)
        for name in names:
            _wait(name, settings, running)
        yield running
    finally:
        for service in running.values():
            service.ask_to_end()
        for service in running.values():
            service.wait_for_end()


def _start_program(
    program: Program, settings: Settings, running: dict[str, Service]
) -> None:
    """Start the processes of a service, and note the numbers of all that run."""
    variables = settings.for_local_services() | program.variables
    for title, command in program.commands.items():
        print(f"starting {title} …", flush=True)
        running[title] = Service(command, variables, programs.log(title))
    numbers = {}
    for title, service in running.items():
        numbers[title] = service.number
    State(settings).write(numbers)


def _build_database(python: str, settings: Settings) -> None:
    print("building build/mlflow.db from the history …", flush=True)
    command = [python, "-m", "pipeline", "history", "build", "--db", "build/mlflow.db"]
    variables = settings.for_local_services()
    done = subprocess.run(command, cwd=ROOT, env=variables, check=False)
    if done.returncode:
        raise StackError("build/mlflow.db could not be built; see above.")


def _wait(name: str, settings: Settings, running: dict[str, Service]) -> None:
    deadline = time.monotonic() + START_SECONDS
    address = settings.url(name, programs.HEALTH[name])
    may_refuse = name == "mlops-api" and not programs.has_models()
    while not answers(address):
        if may_refuse and refuses(address):
            return  # It runs, and its answer says what to do.
        if running[name].has_ended() or time.monotonic() > deadline:
            raise StackError(f"{name} did not start: see {programs.log(name)}.")
        time.sleep(0.3)
    print(f"{name} answers.", flush=True)
