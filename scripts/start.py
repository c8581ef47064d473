"""What `start-mlops.sh` and `start-mlops.ps1` run: MLflow over the history, as local processes.

The database is made from the files, a watcher keeps it up with every `git pull`, and nothing is
said to be up before its answer agrees with the files.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from rich.console import Console

from pipeline.errors import PipelineError
from pipeline.history import layout, registry
from pipeline.repo import Repo

HOST = "127.0.0.1"
PORT = 5000
PATIENCE_SECONDS = 120
QUESTION = "?workflowType=machine_learning"
# MLflow's job runner starts eight processes for features that a history of runs has no use for.
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONUNBUFFERED": "1",
}
ROOT = Path(__file__).resolve().parent.parent
say = Console(highlight=False)


def main() -> int:
    """Start, check, wait for Ctrl-C, stop."""
    argparse.ArgumentParser(description="Start MLflow over the repository's history.").parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _processes(Repo.open(ROOT)) as running:
            _wait(running)
    except KeyboardInterrupt:
        say.print("stopped.")
    except PipelineError as error:
        say.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        return error.exit_status
    return 0


@contextlib.contextmanager
def _processes(repo: Repo) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the watcher and the server until the block ends; leave nothing behind."""
    _require_free_port()
    running: list[subprocess.Popen[bytes]] = []
    database, log = repo.build / "mlflow.db", repo.root / "logs" / "mlflow.log"
    log.parent.mkdir(exist_ok=True)
    try:
        say.print("restoring the history into build/mlflow.db …")
        pipeline = [sys.executable, "-m", "pipeline", "history", "restore", "--db", str(database)]
        if subprocess.run(pipeline, cwd=repo.root, check=False).returncode:
            raise PipelineError("the history could not be restored; see the message above.")
        with log.open("ab") as stream:
            running.append(_spawn([*pipeline, "--watch"], repo, stream))
            say.print("starting MLflow …")
            running.append(_spawn(_server(database), repo, stream))
        _await_server(running[-1], log)
        _show(repo)
        yield running
    finally:
        for process in running:
            _stop(process)


def _server(database: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", f"sqlite:///{database.as_posix()}"),
        *("--artifacts-destination", "mlruns"),
        *("--default-artifact-root", "mlflow-artifacts:/.local"),
        *("--host", HOST, "--port", str(PORT), "--workers", "1"),
    ]


def _spawn(command: list[str], repo: Repo, stream: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(repo.root)}
    # A group of its own: Ctrl-C reaches this program alone, which then stops all of them in order.
    return subprocess.Popen(
        command,
        cwd=repo.root,
        env=environment,
        stdout=stream,
        stderr=subprocess.STDOUT,
        start_new_session=os.name == "posix",
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    else:
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], check=False)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _require_free_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError as error:
            raise PipelineError(
                f"port {PORT} on {HOST} is taken by another program: stop that one first "
                "(a second start of this one is not needed)."
            ) from error


def _await_server(server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            _ask("experiments/search", {"max_results": 1})
            return
        time.sleep(0.5)
    raise PipelineError(
        f"MLflow did not answer within {PATIENCE_SECONDS} s; its words are in {log}."
    )


def _ask(path: str, question: dict[str, object]) -> dict[str, list[dict[str, str]]]:
    request = urllib.request.Request(
        f"http://{HOST}:{PORT}/api/2.0/mlflow/{path}",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, list[dict[str, str]]] = json.load(answer)
        return found


def _show(repo: Repo) -> None:
    """Print the addresses with what was seen there; the runs must be those of the files."""
    files = set(layout.run_folders(repo.mlruns))
    served = _served_runs()
    if missing := files - served:
        raise PipelineError(
            f"MLflow shows {len(files) - len(missing)} of the {len(files)} runs in mlruns/; "
            "check them with scripts/verify_mlflow_data.py."
        )
    champions = []
    for model in registry.models(repo.mlruns):
        newest = registry.champion(repo.mlruns, model)
        champions.append(f"{model} v{newest.version}" if newest else f"{model} without a version")
    # Without the question MLflow opens on its pages for language models.
    seen = {"experiments": f"{len(files)} runs, all of mlruns/", "models": ", ".join(champions)}
    for page, what in seen.items():
        address = f"http://{HOST}:{PORT}/#/{page}{QUESTION}"
        say.print(f"{address}  {what or 'none yet'}", soft_wrap=True)
    say.print("MLflow follows every `git pull`. Ctrl-C stops it.")


def _served_runs() -> set[str]:
    experiments = _ask("experiments/search", {"max_results": 1000}).get("experiments", [])
    question: dict[str, object] = {
        "experiment_ids": [experiment["experiment_id"] for experiment in experiments],
        "max_results": 1000,
    }
    found: set[str] = set()
    while True:
        page: dict[str, object] = dict(_ask("runs/search", question))
        runs = page.get("runs", [])
        found |= {run["info"]["run_id"] for run in runs}  # type: ignore[attr-defined]
        if not page.get("next_page_token"):
            return found
        question["page_token"] = page["next_page_token"]


def _wait(running: list[subprocess.Popen[bytes]]) -> None:
    while all(process.poll() is None for process in running):
        time.sleep(1)
    raise PipelineError("MLflow or its watcher ended by itself; see logs/mlflow.log.")


if __name__ == "__main__":
    sys.exit(main())
