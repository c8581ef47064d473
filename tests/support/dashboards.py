"""Read the dashboards of Grafana: their panels, queries and variables."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.paths import ROOT

FOLDER = ROOT / "monitoring" / "grafana" / "dashboard-configs"
PAGE = ROOT / "docs" / "dashboards.md"
JSON_BLOCK = re.compile(r"```json\n(.+?)```", re.DOTALL)
LABEL_VALUES = re.compile(r"^label_values\((.+), (\w+)\)$")

# A dashboard as Grafana has it in JSON.
Board = dict[str, Any]
Panel = dict[str, Any]


def read(path: Path) -> Board:
    """Return the dashboard in a file."""
    board: Board = json.loads(path.read_text("utf-8"))
    return board


def boards() -> dict[str, Board]:
    """Return every committed dashboard by the name of its file."""
    paths = sorted(FOLDER.glob("*.json"))
    return {path.stem: read(path) for path in paths}


def documented_panel() -> Panel:
    """Return the panel that the documentation adds to a dashboard."""
    page = PAGE.read_text("utf-8")
    (block,) = JSON_BLOCK.findall(page)
    panel: Panel = json.loads(block)
    return panel


def add_documented_panel(board: Board) -> Board:
    """Return the dashboard with the documented panel, added as the page describes."""
    top_id = 0
    bottom = 0
    for panel in board["panels"]:
        place = panel["gridPos"]
        top_id = max(top_id, panel["id"])
        bottom = max(bottom, place["y"] + place["h"])
    added = documented_panel()
    added["id"] = top_id + 1
    added["gridPos"] |= {"y": bottom}
    return board | {"panels": [*board["panels"], added]}


def panels(board: Board) -> list[Panel]:
    """Return the panels without the rows; a collapsed row holds its panels itself."""
    listed = []
    for panel in board["panels"]:
        if panel["type"] == "row":
            listed += panel.get("panels", [])
        else:
            listed.append(panel)
    return listed


def annotations(board: Board) -> list[dict[str, Any]]:
    """Return the annotations without the built-in one that an export has."""
    listed = board["annotations"].get("list", [])
    return [mark for mark in listed if not mark.get("builtIn")]


def listed_variables(board: Board) -> list[dict[str, Any]]:
    """Return the variables as the dashboard describes them."""
    templating = board["templating"]
    listed: list[dict[str, Any]] = templating.get("list", [])
    return listed


def queries(board: Board) -> Iterator[tuple[str, str]]:
    """Yield each query of each panel and annotation, with the title of its place."""
    for panel in panels(board):
        title = panel["title"]
        for target in panel["targets"]:
            yield title, target["expr"]
    for mark in annotations(board):
        name = mark["name"]
        yield f"annotation {name}", mark["expr"]


def variables(board: Board) -> Iterator[tuple[str, str, str]]:
    """Yield each variable: its name, the series whose labels it lists, and the label."""
    for variable in listed_variables(board):
        name = variable["name"]
        # Grafana's editor keeps the query in an object.
        query = variable["query"]
        if isinstance(query, dict):
            query = query["query"]
        match = LABEL_VALUES.match(query)
        assert match, f"variable {name}: no label_values(): {query}"
        series, label = match.groups()
        yield name, series, label


def every_expression(board: Board) -> Iterator[tuple[str, str]]:
    """Yield each query, and the series of each variable."""
    yield from queries(board)
    for name, series, _ in variables(board):
        yield f"variable {name}", series
