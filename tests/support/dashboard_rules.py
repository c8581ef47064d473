"""Rules for every dashboard, whether it was written in an editor or exported by Grafana.

A rule takes a dashboard and yields a sentence for each fault: where it is, and what to
do.
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

from app.observability.metrics import Metrics
from history.metrics import FAMILIES, Exporter
from tests.support.dashboards import Board, annotations, every_expression, panels

Faults = Iterator[str]
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
UNITS = {get_args(kind)[0] for kind in units.__annotations__.values()}
# Grafana adds these to an export; the types do not know them.
EXPORTED = {"iteration"}
# Metrics of other programs: tests/stack/test_dashboards.py asks Prometheus for them.
OTHERS = re.compile(r"^(node|container|prometheus|process|scrape)_|^(up|ALERTS)$")
KEYWORDS = {"by", "on", "group_left", "group_right", "unless", "and", "or"}
KEYWORDS |= {"offset", "ignoring"}
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}


def faults(board: Board) -> list[str]:
    """Return what every rule finds."""
    return [fault for rule in RULES for fault in rule(board)]


def form(board: Board) -> Faults:
    """The classic form, editable, with a uid, a title, a description and the tag."""
    if "spec" in board or "elements" in board or "__inputs" in board:
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
        title = panel.get("title") or f"panel {panel['id']}"
        defaults = panel["fieldConfig"]["defaults"]
        if not panel.get("title"):
            yield f"{title}: no title"
        if not panel.get("description", "").endswith("."):
            yield f"{title}: the description must be a sentence"
        if defaults.get("unit") not in UNITS:
            yield f"{title}: no unit of Grafana: {defaults.get('unit')}"
        if len(defaults.get("noValue", "").split()) <= 5:
            yield f"{title}: say in Standard options, No value, why it may be empty"


def identities(board: Board) -> Faults:
    """Panels have ids and titles, and queries names, that no other has."""
    everything = [*board["panels"], *nested(board)]
    for key in ("id", "title"):
        counts = Counter(panel[key] for panel in everything if key in panel)
        for value, count in counts.items():
            if count > 1 and value not in row_titles(board):
                yield f"{count} panels have the {key} {value}"
    for panel in panels(board):
        names = [target["refId"] for target in panel.get("targets", [])]
        if not names or len(set(names)) < len(names):
            yield f"{panel['title']}: no query, or two with the same name"


def nested(board: Board) -> list[dict[str, Any]]:
    """Return the panels inside collapsed rows."""
    return [panel for panel in panels(board) if panel not in board["panels"]]


def row_titles(board: Board) -> set[str]:
    """Return the titles of rows, which panels may have too."""
    return {panel["title"] for panel in board["panels"] if panel["type"] == "row"}


def datasource(board: Board) -> Faults:
    """Panels, queries, variables and annotations use the data source by its uid."""
    for panel in panels(board):
        for part in (panel, *panel["targets"]):
            if part.get("datasource") != DATASOURCE:
                yield f"{panel['title']}: the data source is not prometheus"
    for part in (*board["templating"].get("list", []), *annotations(board)):
        if part.get("datasource") != DATASOURCE:
            yield f"{part['name']}: the data source is not prometheus"


def grid(board: Board) -> Faults:
    """No panel overlaps another or leaves the grid."""
    cells: dict[tuple[int, int], str] = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > COLUMNS:
            yield f"{panel['title']}: it leaves the {COLUMNS} columns"
        columns = range(place["x"], place["x"] + place["w"])
        lines = range(place["y"], place["y"] + place["h"])
        covered = {(x, y) for x in columns for y in lines}
        hidden = {cells[cell] for cell in covered & cells.keys()}
        for other in hidden:
            yield f"{panel['title']}: it overlaps {other}"
        cells |= dict.fromkeys(covered, panel["title"])


def windows(board: Board) -> Faults:
    """Rates are computed over Grafana's own interval."""
    for title, expression in every_expression(board):
        for window in re.findall(r"\[([^\]]*)\]", expression):
            if window != "$__rate_interval":
                yield f"{title}: use [$__rate_interval] instead of [{window}]"


def metrics(board: Board) -> Faults:
    """Queries name metrics that exist."""
    known = set(known_metrics())
    for title, expression in every_expression(board):
        names = metric_names(expression)
        if not names:
            yield f"{title}: no metric in {expression}"
        for name in sorted(names - known):
            if not OTHERS.match(name):
                yield f"{title}: nobody exports {name}"


def selection(board: Board) -> Faults:
    """Variables in queries exist."""
    names = {variable["name"] for variable in board["templating"].get("list", [])}
    for title, expression in every_expression(board):
        for name in re.findall(r"\$([a-z]\w*)", expression):
            if name not in names:
                yield f"{title}: the dashboard has no variable {name}"


def schema(board: Board) -> Faults:
    """Grafana's own types can hold all of it."""
    register_default_plugins()  # without them queries and panels are not parsed
    parsed = Dashboard.from_json(board)
    again = json.loads(json.dumps(parsed, cls=JSONEncoder))
    own = {key: value for key, value in board.items() if key not in EXPORTED}
    for path in unknown(own, again, ""):
        yield f"Grafana does not know {path}"


def unknown(value: Any, parsed: Any, path: str) -> Iterator[str]:
    """Yield the places of a value that got lost when it was parsed."""
    if isinstance(value, dict) and isinstance(parsed, dict):
        for key, part in value.items():
            yield from unknown(part, parsed.get(key), f"{path}.{key}")
    elif isinstance(value, list) and isinstance(parsed, list):
        if len(value) != len(parsed):
            yield path
        for place, (part, other) in enumerate(zip(value, parsed, strict=False)):
            yield from unknown(part, other, f"{path}[{place}]")
    elif value != parsed:
        yield path


def metric_names(expression: str) -> set[str]:
    """Return the metrics of an expression, without labels, functions and keywords."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|on|group_left|group_right|ignoring) ?\([^)]*\)", "", bare)
    bare = re.sub(r"\b\d[\w.]*", "", bare)
    return set(re.findall(r"[a-zA-Z_:][\w:]*(?!\w*\s*\()", bare)) - KEYWORDS


def known_metrics() -> Iterator[str]:
    """Yield the names of all samples of the API and of the history's exporter."""
    yield from FAMILIES
    for registry in (Metrics().registry, Exporter().registry):
        for family in registry.collect():
            yield family.name
            for suffix in SUFFIXES.get(family.type, []):
                yield family.name + suffix


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
