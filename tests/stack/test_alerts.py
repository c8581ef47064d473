"""Alerts in the running stack, from their causes to the retrain that drift starts.

Three causes at once, each for another task: each alert fires for its own cause alone.
"""

import copy
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tests.stack.engine import ADMIN_KEY, SCRAPE_SECONDS, SERVICES, Stack, eventually
from tests.stack.receiver import Alert, Receiver, identity

FIRES_SECONDS = 120
# Others use the machine too; the cases of the rules test these alerts.
MACHINE = {"DiskAlmostFull", "MemoryAlmostFull", "CpuBusy"}
WATCHDOG = ("Watchdog", "")
EXPECTED = {
    ("PredictionErrors", "credit"),
    ("ModelReloadFails", "iris"),
    ("DriftDetected", "housing"),
    WATCHDOG,
}
DRIFT_OPTIONS = [
    "--task",
    "housing",
    "--shift",
    "2",
    "--rows",
    "1200",
    "--rate",
    "40",
]
ERROR_OPTIONS = ["--task", "credit", "--seconds", str(FIRES_SECONDS)]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def configure(path: Path, port: int) -> None:
    """Write the two examples into one: the webhook hears everything, drift is answered
    too.
    """
    folder = path.parent
    webhook = yaml.safe_load((folder / "webhook.yml").read_text("utf-8"))
    drift = yaml.safe_load((folder / "drift.yml").read_text("utf-8"))
    (program,) = (found for found in webhook["receivers"] if found["name"] == "program")
    program["webhook_configs"][0]["url"] = f"http://host.docker.internal:{port}/"
    retrain = drift["route"]["routes"][0] | {"continue": True}
    webhook["receivers"] += [
        found for found in drift["receivers"] if found["name"] != "nobody"
    ]
    webhook["route"]["routes"] += [retrain, {"receiver": "program"}]
    for route in (webhook["route"], retrain):
        route["group_wait"] = (
            "1s"  # nothing is gathered: what each cause does is looked at
        )
    path.write_text(yaml.safe_dump(webhook), "utf-8")


@pytest.fixture(scope="module")
def alerting(
    stack: Stack, receiver: Receiver, tmp_path_factory: Any
) -> Iterator[Stack]:
    """The stack with Alertmanager and a GitHub to ask; without them again in the end."""
    port = receiver.server_port
    configure(stack.checkout / "monitoring" / "alertmanager" / "own.yml", port)
    override = tmp_path_factory.mktemp("alerts") / "override.yml"
    host = 'extra_hosts: ["host.docker.internal:host-gateway"]'
    github = f"environment: {{ GITHUB_API_URL: 'http://host.docker.internal:{port}' }}"
    override.write_text(
        f"services:\n  alertmanager:\n    {host}\n  trainer:\n    {host}\n   "
        f" {github}\n"
    )
    with_alerts = copy.copy(stack)
    with_alerts.environment = stack.environment | {
        "COMPOSE_FILE": f"docker-compose.yml:{override}",
        "COMPOSE_PROFILES": "alerts,tracing",
        "ALERTMANAGER_CONFIG": "own.yml",
        "API_ADMIN_KEY": ADMIN_KEY,
        "GITHUB_TOKEN": "ghs_0123456789abcdef",
        "GITHUB_REPOSITORY": "someone/mlops",
    }
    wait = ("up", "-d", "--wait", "--wait-timeout", "180")
    try:
        with_alerts.compose(*wait, *SERVICES, "alertmanager")
        await_alerts(stack, {("Watchdog", "")}, FIRES_SECONDS)
        yield with_alerts
    finally:
        with_alerts.compose("rm", "--stop", "--force", "alertmanager")
        stack.up()


def firing(stack: Stack) -> set[Alert]:
    """Return the firing alerts, except those of the machine and of old models."""
    found = stack.ask("PROMETHEUS", "/api/v1/alerts")["data"]["alerts"]
    alerts = {identity(alert) for alert in found if alert["state"] == "firing"}
    ignored = MACHINE | {"ModelStale"}
    return {(name, task) for name, task in alerts if name not in ignored}


def await_alerts(stack: Stack, expected: set[Alert], seconds: float) -> None:
    """Wait until these alerts fire and no others."""
    deadline = time.monotonic() + seconds
    while firing(stack) != expected and time.monotonic() < deadline:
        time.sleep(1)
    assert firing(stack) == expected


def traffic(stack: Stack, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start to send one kind of traffic."""
    command = [
        sys.executable,
        "-m",
        "scripts.traffic",
        *arguments,
        "--url",
        stack.url("API"),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


@contextmanager
def causes(stack: Stack) -> Iterator[None]:
    """Send drifted and invalid requests, and break a model's file."""
    model = stack.checkout / "deployment" / "models" / "iris" / "model.onnx"
    content = model.read_bytes()
    processes = [
        traffic(stack, "drifted", *DRIFT_OPTIONS),
        traffic(stack, "errors", *ERROR_OPTIONS),
    ]
    try:
        model.write_bytes(content[: len(content) // 2])
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait(30)
        model.write_bytes(content)


def test_each_alert_fires_for_its_cause_and_drift_starts_a_retrain(
    alerting: Stack, receiver: Receiver
) -> None:
    started = time.monotonic()
    with causes(alerting):
        await_alerts(alerting, EXPECTED, FIRES_SECONDS)
        left = FIRES_SECONDS + 15 - (time.monotonic() - started)
        eventually(
            lambda: receiver.firing() == EXPECTED - {WATCHDOG},
            left,
            "the receiver gets the alerts",
        )
        requests = eventually(
            receiver.dispatched, 30, "GitHub gets the request for a retrain"
        )
    ((path, body),) = requests
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert body["inputs"]["tasks"] == "housing"
    assert body["inputs"]["refresh_data"] == "true"
    assert body["inputs"]["reason"].startswith("alert DriftDetected: housing (MedInc")
    await_alerts(alerting, EXPECTED - {("ModelReloadFails", "iris")}, 60)


def test_an_api_that_is_killed_is_the_one_new_alert(
    alerting: Stack, receiver: Receiver
) -> None:
    before = firing(alerting)
    alerting.compose("kill", "mlops-api")
    try:
        eventually(
            lambda: ("ApiDown", "") in firing(alerting), FIRES_SECONDS, "ApiDown fires"
        )
        assert firing(alerting) - before == {("ApiDown", "")}
        eventually(
            lambda: ("ApiDown", "") in receiver.firing(), 15, "the receiver gets it"
        )
    finally:
        alerting.compose("up", "-d", "--wait", "--wait-timeout", "60", "mlops-api")
    eventually(lambda: ("ApiDown", "") not in firing(alerting), 60, "it is over")
    assert len(receiver.dispatched()) == 1, "drift that lasts was answered again"


def test_a_restart_loses_no_count_and_no_history(alerting: Stack) -> None:
    """The API was killed in between: its counters began again, and what they count did
    not.
    """
    counted, rows = 'sum(increase(predictions_total{task="housing"}[30m]))', 300
    normal = ("normal", "--task", "housing", "--rows", str(rows), "--rate", "8")
    (before,) = alerting.query(counted)
    assert traffic(alerting, *normal).wait(120) == 0
    alerting.compose("restart", "mlops-api")
    assert traffic(alerting, *normal).wait(120) == 0
    time.sleep(SCRAPE_SECONDS)
    (now,) = alerting.query(counted)
    # What comes between the last scrape and the restart is lost; a rate is an estimate.
    assert rows < float(now["value"][1]) - float(before["value"][1]) < 2.5 * rows
    moment = time.time() - SCRAPE_SECONDS
    known = alerting.counted(moment)
    alerting.compose("restart", "prometheus")
    again = eventually(lambda: alerting.counted(moment), 60, "Prometheus answers")
    assert again == known and len(known) > 3
