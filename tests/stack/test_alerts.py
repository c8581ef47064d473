"""Alerts in the running stack, from their causes to the retrain that drift starts.

Three causes at once, each for another task: each alert fires for its own cause alone.
They fire sooner than with the committed durations, which promtool tests.
"""

import copy
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests.paths import ROOT
from tests.stack.engine import SCRAPE_SECONDS, Stack, eventually
from tests.stack.receiver import Alert, Receiver, identity

FIRES_SECONDS = 120
RECEIVED_SECONDS = 45
# They depend on the machine and on when the models were promoted, not on the causes.
IGNORED = {"DiskAlmostFull", "MemoryAlmostFull", "CpuBusy", "ModelStale"}
WATCHDOG = ("Watchdog", "")
API_DOWN = ("ApiDown", "")
RELOAD_FAILS = ("ModelReloadFails", "iris")
EXPECTED = {
    ("PredictionErrors", "credit"),
    RELOAD_FAILS,
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
ROWS = 300
NORMAL_OPTIONS = ["--task", "housing", "--rows", str(ROWS), "--rate", "8"]
PREDICTIONS = 'sum(increase(predictions_total{task="housing"}[30m]))'
# The containers reach the receiver, which runs on their host.
OVERRIDE = """
services:
  alertmanager:
    extra_hosts: ["host.docker.internal:host-gateway"]
  trainer:
    extra_hosts: ["host.docker.internal:host-gateway"]
    environment: {{ GITHUB_API_URL: "http://host.docker.internal:{port}" }}
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def configure(path: Path, port: int) -> None:
    """Merge the two examples: the webhook receives every alert, and drift starts a
    retrain.
    """
    webhook = yaml.safe_load(path.with_name("webhook.yml").read_text("utf-8"))
    drift = yaml.safe_load(path.with_name("drift.yml").read_text("utf-8"))
    for receiver in webhook["receivers"]:
        for target in receiver.get("webhook_configs", []):
            target["url"] = f"http://host.docker.internal:{port}/"
    for receiver in drift["receivers"]:
        if receiver["name"] != "nobody":
            webhook["receivers"].append(receiver)
    (retrain,) = drift["route"]["routes"]
    retrain["continue"] = True
    webhook["route"]["routes"] += [retrain, {"receiver": "program"}]
    # Alerts are not collected: each cause is looked at for itself.
    webhook["route"]["group_wait"] = "1s"
    retrain["group_wait"] = "1s"
    # ApiDown may have ended shortly before, while the API started: its group exists then.
    webhook["route"]["group_interval"] = "1s"
    path.write_text(yaml.safe_dump(webhook), "utf-8")


@pytest.fixture(scope="module")
def alerting(
    stack: Stack, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack with Alertmanager and a GitHub to ask; without them again in the end."""
    port = receiver.server_port
    configure(stack.checkout / "monitoring" / "alertmanager" / "own.yml", port)
    override = tmp_path_factory.mktemp("alerts") / "override.yml"
    override.write_text(OVERRIDE.format(port=port))
    with_alerts = copy.copy(stack)
    with_alerts.environment = stack.environment | {
        "COMPOSE_FILE": f"docker-compose.yml:{override}",
        "COMPOSE_PROFILES": "alerts,tracing",
        "ALERTMANAGER_CONFIG": "own.yml",
        "GITHUB_TOKEN": "ghs_0123456789abcdef",
        "GITHUB_REPOSITORY": "someone/mlops",
    }
    try:
        with_alerts.up("alertmanager")
        await_alerts(stack, {WATCHDOG}, FIRES_SECONDS)
        yield with_alerts
    finally:
        with_alerts.compose("rm", "--stop", "--force", "alertmanager")
        stack.up()


def firing(stack: Stack) -> set[Alert]:
    """Return the firing alerts, except those that the causes do not influence."""
    alerts = set()
    for alert in stack.prometheus("alerts")["alerts"]:
        name, task = identity(alert)
        is_slow = alert["labels"].get("slo") == "latency"
        if name in IGNORED or is_slow:
            continue
        if alert["state"] == "firing":
            alerts.add((name, task))
    return alerts


def await_alerts(stack: Stack, expected: set[Alert], seconds: float) -> None:
    """Wait until these alerts fire and no others."""
    deadline = time.monotonic() + seconds
    while firing(stack) != expected and time.monotonic() < deadline:
        time.sleep(1)
    assert firing(stack) == expected


def traffic(stack: Stack, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start to send one kind of traffic."""
    program = [sys.executable, "-m", "scripts.traffic"]
    address = ["--url", stack.url("API")]
    command = [*program, *arguments, *address]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


@contextmanager
def causes(stack: Stack) -> Iterator[None]:
    """Send drifted and invalid requests, and break a model's file."""
    model = stack.checkout / "deployment" / "models" / "iris" / "model.onnx"
    content = model.read_bytes()
    half = len(content) // 2
    processes = [
        traffic(stack, "drifted", *DRIFT_OPTIONS),
        traffic(stack, "errors", *ERROR_OPTIONS),
    ]
    try:
        model.write_bytes(content[:half])
        yield
    finally:
        for process in processes:
            process.terminate()
            process.wait(30)
        model.write_bytes(content)


def test_each_alert_fires_for_its_cause_and_drift_starts_a_retrain(
    alerting: Stack, receiver: Receiver
) -> None:
    with causes(alerting):
        await_alerts(alerting, EXPECTED, FIRES_SECONDS)
        eventually(
            lambda: receiver.firing() >= EXPECTED - {WATCHDOG},
            RECEIVED_SECONDS,
            "the receiver gets the alerts",
        )
        requests = eventually(
            lambda: receiver.dispatched,
            30,
            "GitHub gets the request for a retrain",
        )
    ((path, body),) = requests
    inputs = body["inputs"]
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert inputs["tasks"] == "housing"
    assert inputs["refresh_data"] == "true"
    assert inputs["reason"].startswith("alert DriftDetected: housing (MedInc")
    await_alerts(alerting, EXPECTED - {RELOAD_FAILS}, 60)


def test_an_api_that_is_killed_is_the_one_new_alert(
    alerting: Stack, receiver: Receiver
) -> None:
    before = firing(alerting)
    alerting.compose("kill", "mlops-api")
    try:
        eventually(
            lambda: API_DOWN in firing(alerting),
            FIRES_SECONDS,
            "ApiDown fires",
        )
        assert firing(alerting) - before == {API_DOWN}
        eventually(
            lambda: API_DOWN in receiver.firing(),
            RECEIVED_SECONDS,
            "the receiver gets it",
        )
    finally:
        alerting.scale(1)
    eventually(lambda: API_DOWN not in firing(alerting), 60, "the alert ends")
    assert len(receiver.dispatched) == 1, "drift that lasts was answered again"


@pytest.mark.slow
def test_counts_continue_after_a_restart(alerting: Stack) -> None:
    """The counters of the API begin again, and the counts in Prometheus do not.

    That Prometheus itself loses nothing when it restarts is tested in test_history.py.
    """
    before = predictions(alerting)
    alerting.compose("restart", "mlops-api")
    assert traffic(alerting, "normal", *NORMAL_OPTIONS).wait(120) == 0
    time.sleep(SCRAPE_SECONDS)
    counted = predictions(alerting) - before
    # What is counted before the first scrape is lost, and an increase is an estimate.
    assert ROWS / 3 < counted < 1.5 * ROWS


def predictions(stack: Stack) -> float:
    """Return how many predictions Prometheus has counted in half an hour."""
    (series,) = stack.query(PREDICTIONS)
    _, value = series["value"]
    return float(value)
