"""Every query of every dashboard, asked of a Prometheus that watches a stack with
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
from monitoring.grafana.pages import pages
from tests.paths import ROOT
from tests.stack.engine import SERVICES, Stack, eventually
from tests.support.dashboards import panels, queries, variables

BOARDS = {path.stem: json.loads(text) for path, text in pages().items()}
# More than a verdict takes, so that both windows are of the normal traffic.
ROWS = 1_100
STEP, BACK = 15, 1_800
each = pytest.mark.parametrize("name", BOARDS)


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


def send(stack: Stack, kind: str, *more: str) -> None:
    """Send traffic as people do."""
    command = [
        sys.executable,
        "-m",
        "scripts.traffic",
        kind,
        "--url",
        stack.url("API"),
        "--json",
    ]
    done = subprocess.run(
        [*command, *more], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["requests"] and "no answer" not in counts["statuses"], counts


def ask(stack: Stack, path: str, **asked: Any) -> Any:
    """Return what Prometheus finds."""
    answer = stack.ask(
        "PROMETHEUS", f"/api/v1/{path}?{urllib.parse.urlencode(asked, doseq=True)}"
    )
    return answer["data"]


def chosen(stack: Stack, board: dict[str, Any]) -> dict[str, str]:
    """Return what Grafana puts in place of each variable when all of its values are
    chosen.
    """
    found = {"__rate_interval": "1m"}
    for name, series, label in variables(board):
        values = ask(
            stack, f"label/{label}/values", **{"match[]": replaced(series, found)}
        )
        assert values, f"variable {name} has no values: {series}"
        found[name] = f"({'|'.join(values)})"
    return found


def replaced(expr: str, values: dict[str, str]) -> str:
    """Put values in place of Grafana's variables; `$1` of label_replace is Prometheus'
    own.
    """
    return re.sub(r"\$([a-z_]+)", lambda match: values[match[1]], expr)


def series(stack: Stack, expr: str, instant: bool) -> list[dict[str, Any]]:
    """Return what an expression finds that has a number: now, or at any time of half an
    hour.
    """
    now = time.time()
    if instant:
        found = ask(stack, "query", query=expr, time=now)["result"]
        return [one for one in found if isfinite(float(one["value"][1]))]
    span = {"start": now - BACK, "end": now, "step": STEP}
    found = ask(stack, "query_range", query=expr, **span)["result"]
    return [
        one
        for one in found
        if any(isfinite(float(value)) for _, value in one["values"])
    ]


def empty(stack: Stack, board: dict[str, Any]) -> list[str]:
    """Return the queries that find nothing, with the titles of their panels."""
    values = chosen(stack, board)
    instant = {
        target["expr"]
        for panel in panels(board)
        for target in panel["targets"]
        if target["instant"]
    }
    return [
        f"{title}: {expr}"
        for title, expr in queries(board)
        if not series(stack, replaced(expr, values), expr in instant)
    ]


@each
def test_every_query_finds_data(watched: Stack, name: str) -> None:
    deadline = time.monotonic() + 120
    while (left := empty(watched, BOARDS[name])) and time.monotonic() < deadline:
        time.sleep(
            5
        )  # a rate takes two scrapes, a verdict a round of the drift's clock
    assert left == [], f"{len(left)} queries find nothing:\n" + "\n".join(left)


@each
def test_legends_and_columns_name_labels_that_there_are(
    watched: Stack, name: str
) -> None:
    board = BOARDS[name]
    values = chosen(watched, board)
    for panel in panels(board):
        columns = [
            set(step["options"].get("includeByName", {}))
            for step in panel.get("transformations", [])
            if step["id"] == "organize"
        ]
        for target in panel["targets"]:
            found = series(watched, replaced(target["expr"], values), target["instant"])
            # One without a value, such as the version of a push that was refused, is
            # left out.
            there = set().union(*(one["metric"] for one in found))
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            shown = {
                name for name in set().union(*columns) if not name.startswith("Value")
            }
            assert legend | shown <= there, f"{panel['title']}: {target['expr']}"


def test_each_container_is_shown_with_what_docker_says_of_it(watched: Stack) -> None:
    label = "container_label_com_docker_compose_service"
    for figure in (
        "memory_working_set_bytes",
        "cpu_usage_seconds_total",
        "start_time_seconds",
    ):
        found = ask(
            watched,
            "query",
            query=f'max by ({label}) (container_{figure}{{{label}!=""}})',
        )
        shown = {
            one["metric"][label]: float(one["value"][1]) for one in found["result"]
        }
        assert set(SERVICES) <= shown.keys() and all(
            value > 0 for value in shown.values()
        )
    found = ask(
        watched, "query", query=f"max by ({label}) (container_spec_memory_limit_bytes)"
    )
    limits = {
        one["metric"].get(label): float(one["value"][1]) for one in found["result"]
    }
    for service in SERVICES:
        (container,) = watched.containers(service)
        assert limits[service] == container["HostConfig"]["Memory"]


def test_drift_and_feedback_are_of_the_traffic(watched: Stack) -> None:
    def newest(metric: str, task: str) -> float:
        (found,) = ask(watched, "query", query=f'max({metric}{{task="{task}"}})')[
            "result"
        ]
        return float(found["value"][1])

    for task in (
        path.parent.name for path in watched.checkout.glob("deployment/models/*/*.json")
    ):
        assert newest("feedback_rows", task) > ROWS / 2
        assert newest("drift_window_rows", task) >= LEAST
        # The window before holds nothing but normal traffic, so there is none in both.
        assert newest("drift_detected", task) == 0
