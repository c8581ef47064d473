"""The dashboards follow the rules, and so does an export of Grafana."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stack import programs
from scripts.stack.settings import Settings
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.dashboard_rules import DATASOURCE, faults, metric_names
from tests.support.dashboards import (
    FOLDER,
    PAGE,
    Board,
    add_documented_panel,
    boards,
    documented_panel,
    panels,
)

GRAFANA = ROOT / "monitoring" / "grafana"
BOARDS = boards()
HOME = "mlops-dashboard"
Change = Callable[[Board], Any]
each = pytest.mark.parametrize("name", BOARDS)


def test_there_are_three_dashboards() -> None:
    assert set(BOARDS) == {HOME, "system-performance", "model-history"}
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


@each
def test_a_dashboard_follows_the_rules(name: str) -> None:
    assert faults(BOARDS[name]) == []
    assert BOARDS[name]["uid"] == name


@each
def test_an_export_of_grafana_follows_the_rules(name: str) -> None:
    assert faults(exported(BOARDS[name])) == []


def exported(board: Board) -> Board:
    """Return a dashboard as Grafana exports it after an edit in the browser."""
    export = copy.deepcopy(board)
    export |= {"id": 7, "version": 12, "iteration": 1764350000000}
    marks = export["annotations"].setdefault("list", [])
    marks.insert(0, BUILT_IN)
    for panel in panels(export):
        panel["pluginVersion"] = "13.2.1"
        for target in panel["targets"]:
            target |= {"editorMode": "code", "range": True}
    for variable in export["templating"].get("list", []):
        query = {"qryType": 1, "query": variable["query"], "refId": "Query"}
        variable["query"] = query
    collapse_last_row(export)
    return export


BUILT_IN = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def collapse_last_row(board: Board) -> None:
    """Fold the last row: Grafana moves its panels into it."""
    listed = board["panels"]
    places = [place for place, panel in enumerate(listed) if panel["type"] == "row"]
    last = places[-1]
    listed[last] |= {"collapsed": True, "panels": listed[last + 1 :]}
    del listed[last + 1 :]


def test_the_documented_panel_follows_the_rules_on_the_dashboard_of_the_page() -> None:
    assert f"{HOME}.json" in PAGE.read_text("utf-8")
    assert documented_panel()["title"] not in [p["title"] for p in panels(BOARDS[HOME])]
    assert faults(add_documented_panel(BOARDS[HOME])) == []


def first(board: Board) -> dict[str, Any]:
    return panels(board)[0]


def copied(board: Board) -> None:
    board["panels"].append(first(board))


def query(expression: str) -> Change:
    return lambda board: first(board)["targets"][0].update(expr=expression)


def defaults(**values: Any) -> Change:
    return lambda board: first(board)["fieldConfig"]["defaults"].update(values)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda board: board.update(editable=False), "set editable to true"),
        (lambda board: board.update(uid=""), "no uid"),
        (lambda board: board.update(tags=[]), "lacks the tag mlops"),
        (lambda board: board.update(__inputs=[]), "not for sharing externally"),
        (lambda board: board.update(spec={}), "the classic form"),
        (lambda board: first(board).update(title=""), "no title"),
        (lambda board: first(board).update(description="x"), "must be a sentence"),
        (defaults(unit="parsecs"), "no unit of Grafana: parsecs"),
        (defaults(noValue=""), "why it may be empty"),
        (lambda board: first(board).update(targets=[]), "no query"),
        (lambda board: first(board).pop("datasource"), "not prometheus"),
        (lambda board: first(board)["gridPos"].update(w=25), "leaves the 24 columns"),
        (lambda board: first(board)["gridPos"].update(h=9), "it overlaps"),
        (copied, "2 panels have the id"),
        (query("rate(up[5m])"), r"use \[\$__rate_interval\] instead of \[5m\]"),
        (query("no_such_metric"), "nobody exports no_such_metric"),
        (query("1"), "no metric in 1"),
        (query('up{job="$job"}'), "no variable job"),
        (lambda board: first(board).update(colour="red"), "does not know .*colour"),
    ],
)
def test_each_rule_finds_its_fault(change: Change, fault: str) -> None:
    board = copy.deepcopy(BOARDS[HOME])
    change(board)
    assert re.search(fault, "\n".join(faults(board)))


def test_metrics_are_read_from_expressions() -> None:
    expression = (
        'sum by (le, t) (rate(a_bucket{b="c", d=~"e|f"}[$__rate_interval])) / on (x)'
        " h:i offset 1m"
    )
    assert metric_names(expression) == {"a_bucket", "h:i"}
    expression = 'label_replace(j, "k", "$1", "l", "(.+)") * 0 + 1.5 > 2e3'
    assert metric_names(expression) == {"j"}


def test_the_data_source_has_the_uid_that_dashboards_name() -> None:
    path = GRAFANA / "provisioning" / "datasources" / "prometheus.yml"
    (source,) = yaml.safe_load(path.read_text("utf-8"))["datasources"]
    assert {key: source[key] for key in DATASOURCE} == DATASOURCE


def test_all_tasks_are_selected_at_first() -> None:
    for name in (HOME, "model-history"):
        listed = BOARDS[name]["templating"]["list"]
        (task,) = [variable for variable in listed if variable["name"] == "task"]
        assert task["multi"] and task["includeAll"]
        assert task["current"]["value"] == "$__all"


def test_new_models_are_marked() -> None:
    (mark,) = BOARDS[HOME]["annotations"]["list"]
    assert mark["enable"]
    assert "model_info" in mark["expr"]
    assert "{{version}}" in mark["titleFormat"]


def test_the_first_dashboard_is_the_home_of_grafana_in_containers() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    grafana = compose["services"]["grafana"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    inside = mounts["./monitoring/grafana"]
    assert home.startswith(f"{inside}/")
    assert GRAFANA / home.removeprefix(f"{inside}/") == FOLDER / f"{HOME}.json"


@posix
def test_the_first_dashboard_is_the_home_of_grafana_without_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grafana-server").write_text("#!/bin/sh\n")
    (tmp_path / "grafana-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    variables = programs.find("grafana", Settings.read(), "python").variables
    home = Path(variables["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home == FOLDER / f"{HOME}.json"
    assert Path(variables["DASHBOARDS_FOLDER"]) == FOLDER
