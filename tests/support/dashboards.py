"""What dashboards ask Prometheus, read from their JSON."""

import re
from collections.abc import Iterator
from typing import Any

LABEL_VALUES = re.compile(r"^label_values\((.+), (\w+)\)$")


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the panels without the rows that head them."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each query of each panel and annotation, with the title of where it is."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for mark in board["annotations"].get("list", []):
        yield f"annotation {mark['name']}", mark["expr"]


def variables(board: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield each variable: its name, the series whose labels it lists, and the label."""
    for found in board["templating"].get("list", []):
        read = LABEL_VALUES.match(found["query"])
        assert (
            read
        ), f"variable {found['name']} is read from something else: {found['query']}"
        yield found["name"], read[1], read[2]


def every_expression(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what `queries` does, and the series of the variables."""
    yield from queries(board)
    for name, series, _ in variables(board):
        yield f"variable {name}", series
