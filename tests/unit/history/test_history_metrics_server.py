"""The watcher serves the metrics of the history, and needs little for that."""

import sys
import time
from subprocess import PIPE, Popen, run
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from scripts.loopback import free_port
from tests.paths import ROOT
from tests.support.history_factories import Workspace, add_run
from tests.support.waiting import wait_until

PACKAGES = """
import sys
import history.cli
import history.metrics

heavy = {"app", "numpy", "pandas", "matplotlib", "mlflow"}
print(heavy & set(sys.modules))
"""
Samples = list[tuple[dict[str, str], float]]


def scrape(port: int) -> dict[str, Samples]:
    """Return the labels and values of each family."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        text = response.read().decode()
    families = {}
    for family in text_string_to_metric_families(text):
        samples = [(sample.labels, sample.value) for sample in family.samples]
        families[family.name] = samples
    return families


def add_push(repo: Workspace) -> None:
    add_run(repo.mlruns, tags={"gate": "refused", "gate.reason": ""})


def test_the_watcher_serves_the_metrics_and_follows_the_history(
    repo: Workspace,
) -> None:
    add_push(repo)
    port = free_port()
    database = repo.build / "mlflow.db"
    program = [sys.executable, "-m", "history", "--folder", str(repo.mlruns)]
    watch = ["watch", "--db", str(database), "--metrics-port", str(port)]
    with Popen(
        [*program, *watch],
        cwd=ROOT,
        stdout=PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert "1 added" in process.stdout.readline()
            assert scrape(port)["model_history_pushes"] == [({"task": "housing"}, 1)]
            add_push(repo)
            pushes = [({"task": "housing"}, 2)]
            wait_until(lambda: scrape(port)["model_history_pushes"] == pushes)
            families = scrape(port)
            assert families["history_build_failures"][0] == ({}, 0)
            last_success = families["history_build_last_success_timestamp_seconds"]
            ((_, timestamp),) = last_success
            assert time.time() - 20 < timestamp <= time.time()
        finally:
            process.kill()


def test_the_image_of_mlflow_needs_no_heavy_package_for_metrics() -> None:
    process = run(
        [sys.executable, "-c", PACKAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.stdout.strip() == "set()", process.stderr
