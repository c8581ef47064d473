"""Read the dashboards of Grafana: their panels, queries and variables."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.paths import ROOT

FOLDER = ROOT / "monitoring" / "grafana" / "dashboard-configs"
PAGE = ROOT / "docs" / "dashboards.md"
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
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.json"))}


def documented_panel() -> Panel:
    """Return the panel that the documentation adds to a dashboard."""
    (block,) = re.findall(r"```json\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    panel: Panel = json.loads(block)
    return panel


def add_documented_panel(board: Board) -> Board:
    """Return the dashboard with the documented panel, added as the page describes."""
    ids = [panel["id"] for panel in board["panels"]]
    places = [panel["gridPos"] for panel in board["panels"]]
    bottom = max(place["y"] + place["h"] for place in places)
    panel = documented_panel()
    panel["id"] = max(ids) + 1
    panel["gridPos"] = panel["gridPos"] | {"y": bottom}
    return board | {"panels": [*board["panels"], panel]}


def panels(board: Board) -> list[Panel]:
    """Return the panels without the rows; a collapsed row holds its panels itself."""
    found = []
    for panel in board["panels"]:
        if panel["type"] == "row":
            found += panel.get("panels", [])
        else:
            found.append(panel)
    return found


def annotations(board: Board) -> list[dict[str, Any]]:
    """Return the annotations without the built-in one that an export has."""
    listed = board["annotations"].get("list", [])
    return [mark for mark in listed if not mark.get("builtIn")]


def queries(board: Board) -> Iterator[tuple[str, str]]:
    """Yield each query of each panel and annotation, with the title of its place."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for mark in annotations(board):
        yield f"annotation {mark['name']}", mark["expr"]


def variables(board: Board) -> Iterator[tuple[str, str, str]]:
    """Yield each variable: its name, the series whose labels it lists, and the label."""
    for variable in board["templating"].get("list", []):
        # Grafana's editor keeps the query in an object.
        query = variable["query"]
        expression = query["query"] if isinstance(query, dict) else query
        match = LABEL_VALUES.match(expression)
        assert match, f"variable {variable['name']}: no label_values(): {expression}"
        yield variable["name"], match[1], match[2]


def every_expression(board: Board) -> Iterator[tuple[str, str]]:
    """Yield what `queries` does, and the series of the variables."""
    yield from queries(board)
    for name, series, _ in variables(board):
        yield f"variable {name}", series
