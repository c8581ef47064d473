"""The dashboards follow the rules, and so does an export of Grafana."""

import copy
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
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
    Panel,
    add_documented_panel,
    boards,
    documented_panel,
    panels,
)

GRAFANA = ROOT / "monitoring" / "grafana"
BOARDS = boards()
HOME = "mlops-dashboard"
HOME_VARIABLE = "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
Change = Callable[[Board], Any]
each = pytest.mark.parametrize("name", BOARDS)


def test_there_are_three_dashboards() -> None:
    assert BOARDS.keys() == {HOME, "system-performance", "model-history"}
    titles = {board["title"] for board in BOARDS.values()}
    assert len(titles) == 3


@each
def test_a_dashboard_follows_the_rules(name: str) -> None:
    board = BOARDS[name]
    assert faults(board) == []
    assert board["uid"] == name


@each
def test_an_export_of_grafana_follows_the_rules(name: str) -> None:
    export = exported(BOARDS[name])
    assert faults(export) == []


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
    inside = []
    panel = listed.pop()
    while panel["type"] != "row":
        inside.insert(0, panel)
        panel = listed.pop()
    panel["collapsed"] = True
    panel["panels"] = inside
    listed.append(panel)


def test_the_documented_panel_follows_the_rules_on_the_dashboard_of_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert f"{HOME}.json" in page
    board = BOARDS[HOME]
    titles = {panel["title"] for panel in panels(board)}
    assert documented_panel()["title"] not in titles
    extended = add_documented_panel(board)
    assert faults(extended) == []


def first(board: Board) -> Panel:
    return panels(board)[0]


def copied(board: Board) -> None:
    panel = first(board)
    board["panels"].append(panel)


def without_datasource(board: Board) -> None:
    panel = first(board)
    del panel["datasource"]


def dashboard_with(**values: Any) -> Change:
    """Return a change of the keys of a dashboard."""
    return lambda board: board.update(values)


def panel_with(**values: Any) -> Change:
    """Return a change of the keys of the first panel."""
    return lambda board: first(board).update(values)


def position(**values: int) -> Change:
    """Return a change of the position of the first panel."""
    return lambda board: first(board)["gridPos"].update(values)


def query(expression: str) -> Change:
    """Return a change of the first query of the first panel."""

    def change(board: Board) -> None:
        target = first(board)["targets"][0]
        target["expr"] = expression

    return change


def defaults(**values: Any) -> Change:
    """Return a change of the options of the first panel."""

    def change(board: Board) -> None:
        options = first(board)["fieldConfig"]["defaults"]
        options.update(values)

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (dashboard_with(editable=False), "set editable to true"),
        (dashboard_with(uid=""), "no uid"),
        (dashboard_with(tags=[]), "lacks the tag mlops"),
        (dashboard_with(__inputs=[]), "not for sharing externally"),
        (dashboard_with(spec={}), "the classic form"),
        (panel_with(title=""), "no title"),
        (panel_with(description="x"), "must be a sentence"),
        (defaults(unit="parsecs"), "no unit of Grafana: parsecs"),
        (defaults(noValue=""), "why it may be empty"),
        (panel_with(targets=[]), "no query"),
        (without_datasource, "not prometheus"),
        (position(w=25), "leaves the 24 columns"),
        (position(h=9), "it overlaps"),
        (copied, "2 panels have the id"),
        (query("rate(up[5m])"), r"use \[\$__rate_interval\] instead of \[5m\]"),
        (query("no_such_metric"), "nobody exports no_such_metric"),
        (query("1"), "no metric in 1"),
        (query('up{job="$job"}'), "no variable job"),
        (panel_with(colour="red"), "does not know .*colour"),
    ],
)
def test_each_rule_finds_its_fault(change: Change, fault: str) -> None:
    board = copy.deepcopy(BOARDS[HOME])
    change(board)
    output = "\n".join(faults(board))
    assert re.search(fault, output)


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
    content = yaml.safe_load(path.read_text("utf-8"))
    (source,) = content["datasources"]
    assert DATASOURCE.items() <= source.items()


def test_all_tasks_are_selected_at_first() -> None:
    for name in (HOME, "model-history"):
        variables = {}
        for variable in BOARDS[name]["templating"]["list"]:
            variables[variable["name"]] = variable
        task = variables["task"]
        assert task["multi"]
        assert task["includeAll"]
        assert task["current"]["value"] == "$__all"


def test_new_models_are_marked() -> None:
    (mark,) = BOARDS[HOME]["annotations"]["list"]
    assert mark["enable"]
    assert "model_info" in mark["expr"]
    assert "{{version}}" in mark["titleFormat"]


def test_the_first_dashboard_is_the_home_of_grafana_in_containers() -> None:
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    grafana = yaml.safe_load(compose)["services"]["grafana"]
    mounts = {}
    for volume in grafana["volumes"]:
        source, target, *_ = volume.split(":")
        mounts[source] = PurePosixPath(target)
    home = PurePosixPath(grafana["environment"][HOME_VARIABLE])
    inside = home.relative_to(mounts["./monitoring/grafana"])
    assert GRAFANA / inside == FOLDER / f"{HOME}.json"


@posix
def test_the_first_dashboard_is_the_home_of_grafana_without_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "grafana-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    grafana = programs.find("grafana", Settings.read(), "python")
    variables = grafana.variables
    assert Path(variables[HOME_VARIABLE]) == FOLDER / f"{HOME}.json"
    assert Path(variables["DASHBOARDS_FOLDER"]) == FOLDER
