"""Rules that every dashboard follows, and that it asks for metrics that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from app.observability.metrics import Metrics
from history.metrics import FAMILIES, Exporter
from monitoring.grafana.pages import FOLDER, pages
from scripts.stack import programs
from scripts.stack.settings import Settings
from tests.conftest import posix
from tests.paths import ROOT
from tests.support.dashboards import every_expression, panels, queries

GRAFANA = ROOT / "monitoring" / "grafana"
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(text) for path, text in pages().items()
}
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
UNITS = {get_args(kind)[0] for kind in units.__annotations__.values()}
# Metrics of programs that are not ours: that they exist is seen in
# tests/stack/test_dashboards.py.
OTHERS = re.compile(r"^(node|container|prometheus|process|scrape)_|^(up|ALERTS)$")
WORDS = {
    "by",
    "on",
    "group_left",
    "group_right",
    "unless",
    "and",
    "or",
    "offset",
    "ignoring",
}
each = pytest.mark.parametrize("name", BOARDS)


def test_the_dashboards_are_the_three_that_were_asked_for() -> None:
    assert set(BOARDS) == {"mlops-dashboard", "system-performance", "model-history"}
    assert {path.stem for path in FOLDER.glob("*.json")} == set(BOARDS)


@each
def test_it_is_classic_json_that_nobody_edits_in_the_browser(name: str) -> None:
    # The second form of dashboards has `apiVersion` and `spec`; file provisioning
    # refuses it.
    board = BOARDS[name]
    assert (
        "spec" not in board and "elements" not in board and board["schemaVersion"] >= 36
    )
    assert board["uid"] == name and board["editable"] is False
    assert board["title"] and board["description"] and board["tags"] == ["mlops"]
    assert "id" not in board


def test_titles_of_dashboards_and_of_the_panels_of_each_are_their_own() -> None:
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)
    for board in BOARDS.values():
        titles = [panel["title"] for panel in panels(board)]
        assert sorted(set(titles)) == sorted(titles)
        numbers = [panel["id"] for panel in board["panels"]]
        assert sorted(set(numbers)) == numbers


@each
def test_every_panel_says_what_it_shows_in_which_unit_and_why_it_may_be_empty(
    name: str,
) -> None:
    for panel in panels(BOARDS[name]):
        fields = panel["fieldConfig"]["defaults"]
        assert panel["title"] and panel["description"].endswith("."), panel["title"]
        assert fields["unit"] in UNITS, panel["title"]
        assert len(fields["noValue"].split()) > 5, panel["title"]
        assert fields["thresholds"]["steps"][0]["value"] is None, panel["title"]
        assert panel["targets"], panel["title"]


@each
def test_everything_asks_the_data_source_by_its_fixed_uid(name: str) -> None:
    board = BOARDS[name]
    asked = [*panels(board), *board["templating"].get("list", [])]
    asked += board["annotations"].get("list", [])
    asked += [target for panel in panels(board) for target in panel["targets"]]
    assert [found for found in asked if found.get("datasource") != DATASOURCE] == []
    text = (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text(
        "utf-8"
    )
    (source,) = yaml.safe_load(text)["datasources"]
    assert {key: source[key] for key in DATASOURCE} == DATASOURCE


@each
def test_rates_are_over_grafanas_own_interval(name: str) -> None:
    for title, expr in every_expression(BOARDS[name]):
        for window in re.findall(r"(?<!offset )\[([^\]]*)\]", expr):
            assert window == "$__rate_interval", title


@each
def test_queries_of_a_panel_have_names_of_their_own(name: str) -> None:
    for panel in panels(BOARDS[name]):
        names = [target["refId"] for target in panel["targets"]]
        assert names == sorted(set(names)), panel["title"]


@each
def test_panels_fill_the_grid_and_none_lies_on_another(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
    lines = {y for _, y in taken}
    assert max(x for x, _ in taken) == 23 and lines == set(range(max(lines) + 1))
    for y in lines:
        assert (0, y) in taken, f"a line begins empty: {y}"


def metric_names(expr: str) -> set[str]:
    """Return the metrics that an expression reads: what is no label, no function and no
    word.
    """
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expr)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|on|group_left|group_right|ignoring) ?\([^)]*\)", "", bare)
    bare = re.sub(r"\b\d[\w.]*", "", bare)
    return set(re.findall(r"[a-zA-Z_:][\w:]*(?!\w*\s*\()", bare)) - WORDS


def known_metrics() -> Iterator[str]:
    """Yield the names of the samples that the API and the history's exporter can have."""
    yield from FAMILIES
    for registry in (Metrics().registry, Exporter().registry):
        for family in registry.collect():
            yield family.name
            suffixes = {
                "counter": ["_total"],
                "histogram": ["_bucket", "_count", "_sum"],
            }
            yield from (
                family.name + suffix for suffix in suffixes.get(family.type, [])
            )


@each
def test_every_metric_that_is_asked_for_exists(name: str) -> None:
    known = set(known_metrics())
    for title, expr in every_expression(BOARDS[name]):
        names = metric_names(expr)
        assert names, f"{title}: no metric in {expr}"
        unknown = {
            found for found in names if found not in known and not OTHERS.match(found)
        }
        assert unknown == set(), f"{title}: {expr}"


def test_names_are_read_out_of_expressions() -> None:
    expr = (
        'sum by (le, t) (rate(a_bucket{b="c", d=~"e|f"}[$__rate_interval])) / on (x)'
        " h:i offset 1m"
    )
    assert metric_names(expr) == {"a_bucket", "h:i"}
    assert metric_names('label_replace(j, "k", "$1", "l", "(.+)") * 0 + 1.5 > 2e3') == {
        "j"
    }


def test_the_variable_task_is_where_tasks_are_told_apart() -> None:
    for board in BOARDS.values():
        names = {found["name"] for found in board["templating"].get("list", [])}
        used = {
            name
            for _, expr in queries(board)
            for name in re.findall(r"\$(task|metric)", expr)
        }
        assert used <= names and names <= used | {"task"}
    for name in ("mlops-dashboard", "model-history"):
        (task,) = [v for v in BOARDS[name]["templating"]["list"] if v["name"] == "task"]
        assert (
            task["multi"]
            and task["includeAll"]
            and task["current"]["value"] == "$__all"
        )


def test_new_models_are_marked() -> None:
    (mark,) = BOARDS["mlops-dashboard"]["annotations"]["list"]
    assert (
        mark["enable"]
        and "model_info" in mark["expr"]
        and "{{version}}" in mark["titleFormat"]
    )


def test_the_first_dashboard_is_grafanas_home_in_containers() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))[
        "services"
    ]
    grafana = services["grafana"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    (inside,) = [
        path for source, path in mounts.items() if source == "./monitoring/grafana"
    ]
    assert home.startswith(inside + "/")
    assert GRAFANA / home.removeprefix(inside + "/") == FOLDER / "mlops-dashboard.json"


@posix
def test_the_first_dashboard_is_grafanas_home_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "grafana-server").write_text("#!/bin/sh\n")
    (tmp_path / "grafana-server").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    variables = programs.find("grafana", Settings.read(), "python").variables
    home = Path(variables["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert home == FOLDER / "mlops-dashboard.json"
    assert Path(variables["DASHBOARDS_FOLDER"]) == FOLDER


@each
def test_it_is_what_grafanas_own_types_can_hold(name: str) -> None:
    register_default_plugins()  # else it keeps queries and panels as they are, unread
    read = Dashboard.from_json(BOARDS[name])
    again: dict[str, Any] = json.loads(json.dumps(read, cls=JSONEncoder))
    for shown in [*again["links"], *again["annotations"].get("list", [])]:
        del shown["placement"]
    assert again == BOARDS[name]
