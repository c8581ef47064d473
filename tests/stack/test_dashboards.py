"""Send every query of every dashboard to a Prometheus that watches a stack with
traffic.
"""

import json
import re
import subprocess
import sys
import time
import urllib.parse
from math import isfinite
from typing import Any

import pytest

from core.distributions import LEAST
from tests.paths import ROOT
from tests.stack.engine import SERVICES, Stack, eventually
from tests.support.dashboards import (
    Board,
    Panel,
    add_documented_panel,
    boards,
    panels,
    queries,
    variables,
)

BOARDS = boards()
BOARDS["mlops-dashboard"] = add_documented_panel(BOARDS["mlops-dashboard"])
# More than a verdict needs, so that both windows hold the normal traffic.
ROWS = 1_100
STEP_SECONDS = 15
RANGE_SECONDS = 1_800
# A rate needs two scrapes, a verdict one more round of the drift loop.
DATA_SECONDS = 120
SERVICE_LABEL = "container_label_com_docker_compose_service"
CONTAINER_METRICS = [
    "memory_working_set_bytes",
    "cpu_usage_seconds_total",
    "start_time_seconds",
]
each = pytest.mark.parametrize("name", BOARDS)
Series = dict[str, Any]


@pytest.fixture(scope="module")
def watched(stack: Stack) -> Stack:
    """The stack after traffic of every kind."""
    send(stack, "normal", "--rows", str(ROWS), "--rate", "100", "--feedback")
    send(stack, "drifted", "--rows", "100", "--task", "housing")
    send(stack, "slow", "--seconds", "5")
    send(stack, "errors", "--seconds", "10")
    jobs = {"mlops-api", "mlflow-server", "node-exporter", "cadvisor", "prometheus"}
    eventually(
        lambda: jobs <= stack.targets().keys(), 60, "Prometheus finds every service"
    )
    return stack


def send(stack: Stack, kind: str, *options: str) -> None:
    """Send traffic with the command that users have."""
    command = [sys.executable, "-m", "scripts.traffic", kind, *options]
    command += ["--url", stack.url("API"), "--json"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["requests"]
    assert "no answer" not in counts["statuses"], counts


def ask(stack: Stack, path: str, **parameters: Any) -> Any:
    """Return the data of an answer of Prometheus."""
    query = urllib.parse.urlencode(parameters, doseq=True)
    return stack.ask("PROMETHEUS", f"/api/v1/{path}?{query}")["data"]


def selection(stack: Stack, board: Board) -> dict[str, str]:
    """Return what Grafana substitutes for each variable when all values are selected."""
    values = {"__rate_interval": "1m"}
    for name, series, label in variables(board):
        match = {"match[]": substitute(series, values)}
        listed = ask(stack, f"label/{label}/values", **match)
        assert listed, f"variable {name} has no values: {series}"
        values[name] = f"({'|'.join(listed)})"
    return values


def substitute(expression: str, values: dict[str, str]) -> str:
    """Replace Grafana's variables; `$1` in label_replace belongs to Prometheus."""
    return re.sub(r"\$([a-z_]+)", lambda match: values[match[1]], expression)


def is_instant(target: dict[str, Any]) -> bool:
    """Return whether a query asks for the newest value alone."""
    return bool(target.get("instant", False))


def find(stack: Stack, expression: str, instant: bool) -> list[Series]:
    """Return the series that have a number: now, or at any time of half an hour."""
    now = time.time()
    if instant:
        result = ask(stack, "query", query=expression, time=now)["result"]
        return [series for series in result if isfinite(float(series["value"][1]))]
    span = {"start": now - RANGE_SECONDS, "end": now, "step": STEP_SECONDS}
    result = ask(stack, "query_range", query=expression, **span)["result"]
    return [series for series in result if has_number(series)]


def has_number(series: Series) -> bool:
    """Return whether any value of a series is a number."""
    return any(isfinite(float(value)) for _, value in series["values"])


def without_data(stack: Stack, board: Board) -> list[str]:
    """Return the queries that return nothing, with the titles of their panels."""
    values = selection(stack, board)
    targets = [target for panel in panels(board) for target in panel["targets"]]
    instant = {target["expr"] for target in targets if is_instant(target)}
    return [
        f"{title}: {expression}"
        for title, expression in queries(board)
        if not find(stack, substitute(expression, values), expression in instant)
    ]


@each
def test_every_query_returns_data(watched: Stack, name: str) -> None:
    deadline = time.monotonic() + DATA_SECONDS
    empty = without_data(watched, BOARDS[name])
    while empty and time.monotonic() < deadline:
        time.sleep(5)
        empty = without_data(watched, BOARDS[name])
    assert empty == [], f"{len(empty)} queries return nothing:\n" + "\n".join(empty)


@each
def test_legends_and_columns_name_labels_that_exist(watched: Stack, name: str) -> None:
    board = BOARDS[name]
    values = selection(watched, board)
    for panel in panels(board):
        columns = column_labels(panel)
        for target in panel["targets"]:
            expression = substitute(target["expr"], values)
            series = find(watched, expression, is_instant(target))
            # Labels without a value, such as the version of a refused push, are absent.
            labels = set().union(*(one["metric"] for one in series))
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert legend | columns <= labels, f"{panel['title']}: {target['expr']}"


def column_labels(panel: Panel) -> set[str]:
    """Return the labels that are columns of a table."""
    labels = set()
    for step in panel.get("transformations", []):
        if step["id"] == "organize":
            labels |= set(step["options"].get("includeByName", {}))
    return {label for label in labels if not label.startswith("Value")}


def by_service(stack: Stack, query: str) -> dict[str, float]:
    """Return the values of a query by the Compose service."""
    result = ask(stack, "query", query=query)["result"]
    return {
        series["metric"][SERVICE_LABEL]: float(series["value"][1])
        for series in result
        if SERVICE_LABEL in series["metric"]
    }


@pytest.mark.parametrize("metric", CONTAINER_METRICS)
def test_each_container_has_metrics(watched: Stack, metric: str) -> None:
    query = f"max by ({SERVICE_LABEL}) (container_{metric})"
    values = by_service(watched, query)
    assert set(SERVICES) <= values.keys()
    assert all(value > 0 for value in values.values())


def test_the_memory_limit_of_each_container_is_that_of_docker(watched: Stack) -> None:
    query = f"max by ({SERVICE_LABEL}) (container_spec_memory_limit_bytes)"
    limits = by_service(watched, query)
    for service in SERVICES:
        (container,) = watched.containers(service)
        assert limits[service] == container["HostConfig"]["Memory"]


def test_drift_and_feedback_describe_the_traffic(watched: Stack) -> None:
    def newest(metric: str, task: str) -> float:
        query = f'max({metric}{{task="{task}"}})'
        (series,) = ask(watched, "query", query=query)["result"]
        return float(series["value"][1])

    models = watched.checkout.glob("deployment/models/*/*.json")
    for task in {path.parent.name for path in models}:
        assert newest("feedback_rows", task) > ROWS / 2
        assert newest("drift_window_rows", task) >= LEAST
        # The window before holds normal traffic alone, so both can't drift.
        assert newest("drift_detected", task) == 0
