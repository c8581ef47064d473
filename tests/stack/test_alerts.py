"""Alerts made by their causes in the running stack, up to the retrain that drift asks
for.

Three causes at once, each about another task: each alert must fire for its own, and no
other.
"""

import copy
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.paths import ROOT
from tests.stack.engine import ADMIN_KEY, SCRAPE_SECONDS, SERVICES, Stack, eventually

FIRES_SECONDS = 120
# The machine is others' too. What is said of it is known from the rules' own cases.
MACHINE = {"DiskAlmostFull", "MemoryAlmostFull", "CpuBusy"}
Alert = tuple[str, str]  # its name, its task


class Receiver(ThreadingHTTPServer):
    """Hears what Alertmanager tells, and what GitHub would be asked."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        super().__init__(("0.0.0.0", 0), _Handler)

    def told(self) -> set[Alert]:
        """Return the alerts that it was told fire."""
        messages = [content["alerts"] for path, content in self.heard if path == "/"]
        return {
            (alert["labels"]["alertname"], alert["labels"].get("task", ""))
            for alerts in messages
            for alert in alerts
            if alert["status"] == "firing"
        }

    def dispatched(self) -> list[tuple[str, Any]]:
        """Return what GitHub was asked."""
        return [(path, content) for path, content in self.heard if path != "/"]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, json.loads(content)))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        content = json.dumps({"default_branch": "main"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


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
    """Return the alerts that fire, but those of the machine and of models that are old."""
    found = stack.ask("PROMETHEUS", "/api/v1/alerts")["data"]["alerts"]
    return {
        (alert["labels"]["alertname"], alert["labels"].get("task", ""))
        for alert in found
        if alert["state"] == "firing"
        and alert["labels"]["alertname"] not in MACHINE | {"ModelStale"}
    }


def await_alerts(stack: Stack, expected: set[Alert], seconds: float) -> None:
    """Wait until these alerts fire and no others."""
    deadline = time.monotonic() + seconds
    while firing(stack) != expected and time.monotonic() < deadline:
        time.sleep(1)
    assert firing(stack) == expected


def traffic(stack: Stack, *arguments: str) -> "subprocess.Popen[bytes]":
    """Begin to send traffic of a kind."""
    command = [
        sys.executable,
        "-m",
        "scripts.traffic",
        *arguments,
        "--url",
        stack.url("API"),
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def test_each_alert_fires_for_its_cause_and_drift_is_answered(
    alerting: Stack, receiver: Receiver
) -> None:
    expected = {
        ("PredictionErrors", "credit"),
        ("ModelReloadFails", "iris"),
        ("DriftDetected", "housing"),
        ("Watchdog", ""),
    }
    model = alerting.checkout / "deployment" / "models" / "iris" / "model.onnx"
    content = model.read_bytes()
    drifted = (
        "drifted",
        "--task",
        "housing",
        "--shift",
        "2",
        "--rows",
        "1200",
        "--rate",
        "40",
    )
    sending = [
        traffic(alerting, *drifted),
        traffic(
            alerting, "errors", "--task", "credit", "--seconds", str(FIRES_SECONDS)
        ),
    ]
    began = time.monotonic()
    try:
        model.write_bytes(content[: len(content) // 2])
        await_alerts(alerting, expected, FIRES_SECONDS)
        left = FIRES_SECONDS + 15 - (time.monotonic() - began)
        eventually(
            lambda: receiver.told() == expected - {("Watchdog", "")},
            left,
            "they are told",
        )
        asked = eventually(receiver.dispatched, 30, "GitHub is asked for a retrain")
    finally:
        for process in sending:
            process.terminate()
            process.wait(30)
        model.write_bytes(content)
    ((path, body),) = asked
    assert path == "/repos/someone/mlops/actions/workflows/mlops.yml/dispatches"
    assert body["inputs"]["tasks"] == "housing"
    assert body["inputs"]["refresh_data"] == "true"
    assert body["inputs"]["reason"].startswith("alert DriftDetected: housing (MedInc")
    await_alerts(alerting, expected - {("ModelReloadFails", "iris")}, 60)


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
        eventually(lambda: ("ApiDown", "") in receiver.told(), 15, "it is told")
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
