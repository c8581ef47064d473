"""Send every query of every dashboard to a Prometheus that watches a stack with
traffic.
"""

import json
import re
import subprocess
import sys
import time
from math import isfinite

import pytest

from core.distributions import LEAST
from tests.paths import ROOT
from tests.stack.engine import SERVICES, Series, Stack, eventually
from tests.support.dashboards import (
    Board,
    Panel,
    add_documented_panel,
    boards,
    panels,
    queries,
    variables,
)
from tests.support.json_content import Json

BOARDS = boards()
BOARDS["mlops-dashboard"] = add_documented_panel(BOARDS["mlops-dashboard"])
# More than a verdict needs, so that both windows hold the normal traffic.
ROWS = 1_100
NORMAL = ["--rows", str(ROWS), "--rate", "100", "--feedback"]
OTHER_TRAFFIC = {
    "drifted": ["--rows", "100", "--task", "housing"],
    "slow": ["--seconds", "5"],
    "errors": ["--seconds", "10"],
}
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


@pytest.fixture(scope="module")
def watched(stack: Stack) -> Stack:
    """The stack after traffic of every kind."""
    others = [start(stack, *traffic) for traffic in OTHER_TRAFFIC.items()]
    for process in others:
        finish(process)
    normal = start(stack, "normal", NORMAL)
    finish(normal)
    jobs = set(SERVICES) - {"trainer", "jaeger"}  # which are not scraped
    eventually(
        lambda: jobs <= stack.targets().keys(),
        60,
        "Prometheus discovers every service",
    )
    return stack


def start(stack: Stack, kind: str, options: list[str]) -> "subprocess.Popen[str]":
    """Start to send traffic with the command that users have."""
    command = [
        sys.executable,
        "-m",
        "scripts.traffic",
        kind,
        *options,
        "--url",
        stack.url("API"),
        "--json",
    ]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(traffic: "subprocess.Popen[str]") -> None:
    """Wait until the traffic is sent, and check that every request was answered."""
    output, _ = traffic.communicate()
    assert traffic.returncode == 0, traffic.args
    counts = json.loads(output)
    assert counts["requests"]
    assert "no answer" not in counts["statuses"], counts


def selection(stack: Stack, board: Board) -> dict[str, str]:
    """Return what Grafana substitutes for each variable when all values are selected."""
    values = {"__rate_interval": "1m"}
    for name, series, label in variables(board):
        match = {"match[]": substitute(series, values)}
        listed = stack.prometheus(f"label/{label}/values", **match)
        assert listed, f"variable {name} has no values: {series}"
        alternatives = "|".join(listed)
        values[name] = f"({alternatives})"
    return values


def substitute(expression: str, values: dict[str, str]) -> str:
    """Replace Grafana's variables; `$1` in label_replace belongs to Prometheus."""
    return re.sub(r"\$([a-z_]+)", lambda match: values[match[1]], expression)


def is_instant(target: Json) -> bool:
    """Return whether a query asks for the newest value alone."""
    return bool(target.get("instant", False))


def find(stack: Stack, expression: str, instant: bool) -> list[Series]:
    """Return the series that have a number: now, or at any time of half an hour."""
    now = time.time()
    if instant:
        current = stack.query(expression, time=now)
        return [series for series in current if is_number(series["value"])]
    data = stack.prometheus(
        "query_range",
        query=expression,
        start=now - RANGE_SECONDS,
        end=now,
        step=STEP_SECONDS,
    )
    return [series for series in data["result"] if has_number(series)]


def has_number(series: Series) -> bool:
    """Return whether any value of a series is a number."""
    return any(is_number(sample) for sample in series["values"])


def is_number(sample: tuple[float, str]) -> bool:
    """Return whether the value of a sample is a number."""
    _, value = sample
    return isfinite(float(value))


def without_data(stack: Stack, board: Board) -> list[str]:
    """Return the queries that return nothing, with the titles of their panels."""
    values = selection(stack, board)
    instant = set()
    for panel in panels(board):
        for target in panel["targets"]:
            if is_instant(target):
                instant.add(target["expr"])
    empty = []
    for title, expression in queries(board):
        query = substitute(expression, values)
        if not find(stack, query, expression in instant):
            empty.append(f"{title}: {expression}")
    return empty


@each
def test_every_query_returns_data(watched: Stack, name: str) -> None:
    deadline = time.monotonic() + DATA_SECONDS
    empty = without_data(watched, BOARDS[name])
    while empty and time.monotonic() < deadline:
        time.sleep(5)
        empty = without_data(watched, BOARDS[name])
    assert empty == [], "these queries return nothing"


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
            labels = set()
            for one in series:
                labels |= one["metric"].keys()
            legend = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            used = columns.union(legend)
            assert used <= labels, (panel["title"], target["expr"])


def column_labels(panel: Panel) -> set[str]:
    """Return the labels that are columns of a table."""
    names = set()
    for step in panel.get("transformations", []):
        if step["id"] == "organize":
            included = step["options"].get("includeByName", {})
            names.update(included)
    values = {name for name in names if name.startswith("Value")}
    return names - values


def by_service(stack: Stack, query: str) -> dict[str, float]:
    """Return the values of a query by the Compose service."""
    values = {}
    for series in stack.query(query):
        service = series["metric"].get(SERVICE_LABEL)
        if service:
            _, value = series["value"]
            values[service] = float(value)
    return values


@pytest.mark.parametrize("metric", CONTAINER_METRICS)
def test_each_container_has_metrics(watched: Stack, metric: str) -> None:
    query = f"max by ({SERVICE_LABEL}) (container_{metric})"
    values = by_service(watched, query)
    for service in SERVICES:
        assert values[service] > 0


def test_the_memory_limit_of_each_container_is_that_of_docker(watched: Stack) -> None:
    query = f"max by ({SERVICE_LABEL}) (container_spec_memory_limit_bytes)"
    limits = by_service(watched, query)
    for service in SERVICES:
        (container,) = watched.containers(service)
        assert limits[service] == container["HostConfig"]["Memory"]


def test_drift_and_feedback_describe_the_traffic(watched: Stack) -> None:
    for task in watched.manifests():
        await_description(watched, task)


def await_description(stack: Stack, task: str) -> None:
    """Wait for the next round of the drift loop, which exports what it measured."""
    eventually(
        lambda: newest(stack, "feedback_rows", task) > ROWS / 2,
        DATA_SECONDS,
        f"the feedback for {task} is counted",
    )
    assert newest(stack, "drift_window_rows", task) >= LEAST
    # Both windows hold normal traffic alone.
    eventually(
        lambda: newest(stack, "drift_detected", task) == 0,
        DATA_SECONDS,
        f"{task} does not drift",
    )


def newest(stack: Stack, metric: str, task: str) -> float:
    """Return the current value of a metric of a task."""
    selector = f'{metric}{{task="{task}"}}'
    (series,) = stack.query(f"max({selector})")
    _, value = series["value"]
    return float(value)
