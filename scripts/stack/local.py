"""The stack as local processes, for machines without Docker: same addresses, same checks.

One process supervises the others and ends them all; `build/stack-*.json` says which it is.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.stack import environment, programs, verify
from scripts.stack.settings import ROOT, Settings, StackError

START_SECONDS = 120
STOP_SECONDS = 40


def services(settings: Settings) -> list[str]:
    """Return the services that can run here, in the order in which they start."""
    return [name for name in programs.available() if name not in settings.without]


def running(settings: Settings) -> dict[str, int]:
    """Return the supervisor's and the services' process numbers; nothing if it is gone."""
    with contextlib.suppress(OSError, ValueError):
        state: dict[str, int] = json.loads(_state(settings).read_text("utf-8"))
        if _alive(state["supervisor"]):
            return state
    return {}


def start(settings: Settings) -> None:
    """Start everything, say what was seen, and stay until Ctrl-C or `--stop`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.name == "posix":
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    python = environment.python()
    with _processes(settings, str(python)) as processes:
        verify.show(verify.everything(settings, list(processes)))
        print("`git pull` is followed by the API and MLflow. Ctrl-C or --stop ends it.", flush=True)
        while True:
            ended = [name for name, process in processes.items() if process.poll() is not None]
            if ended:
                raise StackError(f"{ended[0]} ended by itself: see {programs.log(ended[0])}.")
            time.sleep(1)


def stop(settings: Settings) -> bool:
    """End the supervisor, and with it everything; return whether there was one."""
    state = running(settings)
    if state:
        if os.name == "posix":
            os.kill(state["supervisor"], signal.SIGTERM)
        else:  # nobody can ask it to end there: all of them are ended
            _kill_tree(state["supervisor"])
        deadline = time.monotonic() + STOP_SECONDS
        while _alive(state["supervisor"]):
            if time.monotonic() > deadline:
                raise StackError(f"process {state['supervisor']} does not end: kill it.")
            time.sleep(0.2)
    _state(settings).unlink(missing_ok=True)
    return bool(state)


def status(settings: Settings) -> None:
    """Print each service's process and whether it lives."""
    for name, number in running(settings).items():
        print(f"  {name:<14} process {number:<8} {'runs' if _alive(number) else 'has ended'}")


def logs(service: str) -> None:
    """Print the last lines of one service, or of all."""
    for name in [service] if service else programs.available():
        file = programs.log(name)
        if not file.is_file():
            raise StackError(f"there is no log of {name}: {file} is missing.")
        for line in file.read_text("utf-8", "replace").splitlines()[-100:]:
            print(f"{name} | {line}")


@contextlib.contextmanager
def _processes(settings: Settings, python: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Run all services until the block ends; leave nothing behind."""
    running: dict[str, subprocess.Popen[bytes]] = {}
    state = _state(settings)
    (ROOT / "logs").mkdir(exist_ok=True)
    state.parent.mkdir(exist_ok=True)
    try:
        _restore(python)
        for name in services(settings):
            program = programs.find(name, settings, python)
            for title, command in program.commands.items():
                running[title] = _spawn(title, command, program.variables, settings)
            numbers = {title: process.pid for title, process in running.items()}
            state.write_text(json.dumps({"supervisor": os.getpid(), **numbers}), "utf-8")
        for name in services(settings):
            _wait(name, settings, running)
        yield running
    finally:
        for process in running.values():
            _end(process)
        for process in running.values():
            _await_end(process)
        state.unlink(missing_ok=True)


def _restore(python: str) -> None:
    print("restoring the history into build/mlflow.db …", flush=True)
    command = [python, "-m", "pipeline", "history", "restore", "--db", "build/mlflow.db"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise StackError("the history could not be restored; see above.")


def _spawn(
    title: str, command: list[str], variables: dict[str, str], settings: Settings
) -> subprocess.Popen[bytes]:
    print(f"starting {title} …", flush=True)
    # A group of its own: Ctrl-C reaches this program alone, which then ends all of them in order.
    group: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]
    with programs.log(title).open("ab") as stream:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**settings.environment(), "PYTHONPATH": str(ROOT), **variables},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            **group,
        )


def _wait(name: str, settings: Settings, running: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_SECONDS
    address = settings.url(name, programs.HEALTH[name])
    while not verify.answers(address):
        if name == "mlops-api" and not programs.has_models() and verify.refuses(address):
            return  # it is up and says what to do
        if running[name].poll() is not None or time.monotonic() > deadline:
            raise StackError(f"{name} did not start: see {programs.log(name)}.")
        time.sleep(0.3)
    print(f"{name} answers.", flush=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    else:
        _kill_tree(process.pid)


def _kill_tree(number: int) -> None:
    kill = ["taskkill", "/T", "/F", "/PID", str(number)]
    subprocess.run(kill, capture_output=True, check=False)


def _await_end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=STOP_SECONDS - 10)
    if os.name == "posix":  # what did not end, and the children of those that did
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _alive(number: int) -> bool:
    if os.name == "posix":
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True
    listed = subprocess.run(
        ["tasklist", "/FI", f"PID eq {number}"], capture_output=True, text=True, check=False
    )
    return str(number) in listed.stdout


def _state(settings: Settings) -> Path:
    return ROOT / "build" / f"stack-{settings.offset}.json"
