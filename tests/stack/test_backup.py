"""A backup under load, everything deleted, restored: every run, prediction and panel."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.paths import ROOT
from tests.stack.engine import (
    DOWN,
    PROJECT,
    SCRAPE_SECONDS,
    Stack,
    docker,
    eventually,
)

pytestmark = pytest.mark.slow

PREDICTIONS = "build/predictions/predictions.db"
READ_ROWS = f"""
import json, sqlite3
rows = sqlite3.connect("{PREDICTIONS}").execute("SELECT request_id FROM predictions")
print(json.dumps([row[0] for row in rows]))
"""
# Grafana's user. Its image is not on every machine, its volume can be.
GRAFANA = 472
WRITE_DASHBOARD = f"""
import os, sqlite3
database = sqlite3.connect("/folder/grafana.db")
database.execute("CREATE TABLE dashboard (title TEXT)")
database.execute("INSERT INTO dashboard VALUES ('our own panel')")
database.commit()
os.chown("/folder/grafana.db", {GRAFANA}, 0)
"""
READ_DASHBOARD = """
import os, sqlite3
print(os.stat("/folder/grafana.db").st_uid)
print(*sqlite3.connect("/folder/grafana.db").execute("SELECT title FROM dashboard"))
"""

EMPTY = """
import pathlib, shutil
for path in pathlib.Path("/folder").iterdir():
    if path.is_dir():
        shutil.rmtree(path)
"""


def run_in(source: str, mounted: str, image: str) -> str:
    """Run Python as root in a container with a volume or a folder."""
    mount = f"--volume={mounted}:/folder"
    options = ("--rm", "--user=0:0", "--entrypoint=python", mount)
    return docker("run", *options, image, "-c", source)


def pipeline(stack: Stack, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the pipeline for the stack's checkout."""
    command = [sys.executable, "-m", "pipeline", "--repo", str(stack.checkout)]
    return subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def logged(stack: Stack) -> set[str]:
    """Return the IDs of the requests whose predictions are logged."""
    rows = stack.compose("exec", "-T", "mlops-api", "python", "-c", READ_ROWS)
    return set(json.loads(rows))


@contextmanager
def steady_predictions(stack: Stack) -> Iterator[list[str]]:
    """Predict again and again, and collect what fails."""
    manifest = stack.manifest("iris")
    failures: list[str] = []
    ended = threading.Event()

    def send() -> None:
        while not ended.is_set():
            try:
                stack.predict(manifest)
            except OSError as error:
                failures.append(str(error))
            time.sleep(0.02)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield failures
    finally:
        ended.set()
        sender.join()


def log_run(client: MlflowClient) -> str:
    """Log a run with an artifact, as a notebook does; return its ID."""
    run = client.create_run(client.create_experiment("to be backed up"))
    run_id: str = run.info.run_id
    client.log_metric(run_id, "rmse", 0.25)
    client.log_text(run_id, "backed up", "note.txt")
    client.set_terminated(run_id)
    return run_id


def delete_everything(stack: Stack, image: str) -> None:
    """Delete the containers, the volumes, and what notebooks have logged."""
    stack.compose(*DOWN)
    docker("volume", "rm", "--force", f"{PROJECT}_grafana")
    local = stack.checkout / "mlruns" / ".local"
    run_in(EMPTY, str(local), image)
    assert not [path for path in local.iterdir() if path.name != ".gitkeep"]


def back_up_under_load(stack: Stack, target: str) -> None:
    """Make a backup while predictions go on, which a running stack does not take."""
    with steady_predictions(stack) as failures:
        done = pipeline(stack, "backup", target)
    assert done.returncode == 0, done.stderr
    assert failures == []
    refused = pipeline(stack, "restore-backup", target)
    assert refused.returncode == 2
    assert "the stack is running (" in refused.stderr


def test_everything_is_there_again(
    stack: Stack, client: MlflowClient, tmp_path: Path
) -> None:
    (server,) = stack.containers("mlflow-server")
    image = server["Image"]
    volume = f"{PROJECT}_grafana"
    run_in(WRITE_DASHBOARD, volume, image)
    run_id = log_run(client)
    stack.predict(stack.manifest("iris"))
    eventually(lambda: logged(stack), 10, "a prediction is logged")
    before = logged(stack)
    time.sleep(SCRAPE_SECONDS)
    moment = time.time()
    counts = stack.request_counts(moment)
    assert counts
    target = str(tmp_path / "copy")
    back_up_under_load(stack, target)
    delete_everything(stack, image)
    done = pipeline(stack, "restore-backup", target)
    assert done.returncode == 0, done.stderr
    stack.up()
    assert client.get_run(run_id).data.metrics == {"rmse": 0.25}
    artifact = client.download_artifacts(run_id, "note.txt", str(tmp_path))
    assert Path(artifact).read_text("utf-8") == "backed up"
    assert before <= logged(stack)
    assert stack.request_counts(moment) == counts
    owner, title = run_in(READ_DASHBOARD, volume, image).splitlines()
    assert owner == str(GRAFANA)
    assert title == "('our own panel',)"
