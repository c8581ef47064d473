"""Rules for every dashboard, whether it was written in an editor or exported by Grafana.

A rule takes a dashboard and yields a sentence for each fault: its place and the remedy.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, get_args

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.support.dashboard_metrics import OTHERS, exported_metrics, metric_names
from tests.support.dashboards import (
    Board,
    annotations,
    every_expression,
    listed_variables,
    panels,
)

Faults = Iterator[str]
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
UNITS = {get_args(kind)[0] for kind in units.__annotations__.values()}
# Grafana adds these to an export; the types do not know them.
EXPORTED = {"iteration"}
# Keys that only other forms of an export have.
NEW_FORM = {"spec", "elements", "__inputs"}
MIN_WORDS = 6
WINDOW = re.compile(r"\[([^\]]*)\]")
VARIABLE = re.compile(r"\$([a-z]\w*)")


def faults(board: Board) -> list[str]:
    """Return the faults that the rules see."""
    sentences = []
    for rule in RULES:
        sentences += rule(board)
    return sentences


def form(board: Board) -> Faults:
    """The classic form, editable, with a uid, a title, a description and the tag."""
    if not NEW_FORM.isdisjoint(board):
        yield "export the dashboard in the classic form, not for sharing externally"
        return
    if not board["editable"]:
        yield "the dashboard can't be edited in the browser: set editable to true"
    for key in ("uid", "title", "description"):
        if not board.get(key):
            yield f"the dashboard has no {key}"
    if "mlops" not in board["tags"]:
        yield "the dashboard lacks the tag mlops, by which the others link to it"


def texts(board: Board) -> Faults:
    """Every panel has a title, a description, a known unit and a text for no data."""
    for panel in panels(board):
        title = panel.get("title")
        if not title:
            title = f"panel {panel['id']}"
            yield f"{title}: no title"
        description = panel.get("description", "")
        if not description.endswith("."):
            yield f"{title}: the description must be a sentence"
        defaults = panel["fieldConfig"]["defaults"]
        unit = defaults.get("unit")
        if unit not in UNITS:
            yield f"{title}: no unit of Grafana: {unit}"
        words = defaults.get("noValue", "").split()
        if len(words) < MIN_WORDS:
            yield f"{title}: say in Standard options, No value, why it may be empty"


def identities(board: Board) -> Faults:
    """Panels have ids and titles, and queries names, that no other has."""
    yield from duplicate_keys(board, "id")
    yield from duplicate_keys(board, "title")
    for panel in panels(board):
        names = [target["refId"] for target in panel.get("targets", [])]
        distinct = set(names)
        if not names or len(distinct) < len(names):
            yield f"{panel['title']}: no query, or two with the same name"


def duplicate_keys(board: Board, key: str) -> Faults:
    """Yield a sentence for each value of a key that several panels have."""
    every_panel = [*board["panels"], *nested(board)]
    counts = Counter(panel[key] for panel in every_panel if key in panel)
    allowed = row_titles(board)
    for value, count in counts.items():
        if count > 1 and value not in allowed:
            yield f"{count} panels have the {key} {value}"


def nested(board: Board) -> list[dict[str, Any]]:
    """Return the panels inside collapsed rows."""
    outside = board["panels"]
    return [panel for panel in panels(board) if panel not in outside]


def row_titles(board: Board) -> set[str]:
    """Return the titles of rows, which panels may have too."""
    titles = set()
    for panel in board["panels"]:
        if panel["type"] == "row":
            titles.add(panel["title"])
    return titles


def datasource(board: Board) -> Faults:
    """Panels, queries, variables and annotations use the data source by its uid."""
    for panel in panels(board):
        title = panel["title"]
        for part in (panel, *panel["targets"]):
            if part.get("datasource") != DATASOURCE:
                yield f"{title}: the data source is not prometheus"
    for part in (*listed_variables(board), *annotations(board)):
        if part.get("datasource") != DATASOURCE:
            name = part["name"]
            yield f"{name}: the data source is not prometheus"


Cell = tuple[int, int]


def grid(board: Board) -> Faults:
    """No panel overlaps another or leaves the grid."""
    owners: dict[Cell, str] = {}
    for panel in board["panels"]:
        title = panel["title"]
        cells = covered_cells(panel["gridPos"])
        last_column = max(column for column, _ in cells)
        if last_column >= COLUMNS:
            yield f"{title}: it leaves the {COLUMNS} columns"
        overlapped = {owners[cell] for cell in cells & owners.keys()}
        for other in overlapped:
            yield f"{title}: it overlaps {other}"
        for cell in cells:
            owners[cell] = title


def covered_cells(place: dict[str, int]) -> set[Cell]:
    """Return the columns and lines of the grid that a panel covers."""
    left = place["x"]
    top = place["y"]
    cells = set()
    for column in range(left, left + place["w"]):
        for line in range(top, top + place["h"]):
            cells.add((column, line))
    return cells


def windows(board: Board) -> Faults:
    """Rates are computed over Grafana's own interval."""
    for title, expression in every_expression(board):
        for window in WINDOW.findall(expression):
            if window != "$__rate_interval":
                yield f"{title}: use [$__rate_interval] instead of [{window}]"


def metrics(board: Board) -> Faults:
    """Queries name metrics that exist."""
    exported = set(exported_metrics())
    for title, expression in every_expression(board):
        names = metric_names(expression)
        if not names:
            yield f"{title}: no metric in {expression}"
        for name in sorted(names - exported):
            if not OTHERS.match(name):
                yield f"{title}: nobody exports {name}"


def selection(board: Board) -> Faults:
    """Variables in queries exist."""
    names = {variable["name"] for variable in listed_variables(board)}
    for title, expression in every_expression(board):
        for name in VARIABLE.findall(expression):
            if name not in names:
                yield f"{title}: the dashboard has no variable {name}"


def schema(board: Board) -> Faults:
    """Grafana's own types can hold all of it."""
    register_default_plugins()  # without them queries and panels are not parsed
    parsed = Dashboard.from_json(board)
    encoded = json.dumps(parsed, cls=JSONEncoder)
    own = {key: value for key, value in board.items() if key not in EXPORTED}
    for path in lost_places(own, json.loads(encoded), ""):
        yield f"Grafana does not know {path}"


def lost_places(value: Any, parsed: Any, path: str) -> Iterator[str]:
    """Yield the places of a value that got lost when it was parsed."""
    if isinstance(value, dict) and isinstance(parsed, dict):
        for key, part in value.items():
            other = parsed.get(key)
            yield from lost_places(part, other, f"{path}.{key}")
    elif isinstance(value, list) and isinstance(parsed, list):
        if len(value) != len(parsed):
            yield path
        pairs = zip(value, parsed, strict=False)
        for place, (part, other) in enumerate(pairs):
            yield from lost_places(part, other, f"{path}[{place}]")
    elif value != parsed:
        yield path


RULES: list[Callable[[Board], Faults]] = [
    form,
    texts,
    identities,
    datasource,
    grid,
    windows,
    metrics,
    selection,
    schema,
]
