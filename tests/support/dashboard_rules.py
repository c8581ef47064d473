"""Rules for every dashboard, whether it was written in an editor or exported by Grafana.

A rule takes a dashboard and yields a sentence for each fault: its place and the remedy.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, get_args

from grafana_foundation_sdk.models import units

from tests.support.dashboard_metrics import OTHERS, exported_metrics, metric_names
from tests.support.dashboard_schema import schema
from tests.support.dashboards import (
    Board,
    Panel,
    annotations,
    every_expression,
    listed_variables,
    panels,
)
from tests.support.json_content import Json

Faults = Iterator[str]
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
COLUMNS = 24
# Keys that only other forms of an export have.
NEW_FORM = {"spec", "elements", "__inputs"}
MIN_WORDS = 6
WINDOW = re.compile(r"\[([^\]]*)\]")
VARIABLE = re.compile(r"\$([a-z]\w*)")


def known_units() -> set[str]:
    """Return the units of Grafana: its types have one literal for each."""
    literals = set()
    for kind in units.__annotations__.values():
        (unit,) = get_args(kind)
        literals.add(unit)
    return literals


UNITS = known_units()


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
        yield from texts_of_panel(panel, title)


def texts_of_panel(panel: Panel, title: str) -> Faults:
    """Yield a sentence for each text that a panel lacks beside its title."""
    description = panel.get("description", "")
    if not description.endswith("."):
        yield f"{title}: the description must be a sentence"
    defaults = panel["fieldConfig"]["defaults"]
    unit = defaults.get("unit")
    if unit not in UNITS:
        yield f"{title}: no unit of Grafana: {unit}"
    no_value = defaults.get("noValue", "")
    words = no_value.split()
    if len(words) < MIN_WORDS:
        yield f"{title}: say in Standard options, No value, why it may be empty"


def identities(board: Board) -> Faults:
    """Panels have ids and titles, and queries names, that no other has."""
    yield from duplicate_keys(board, "id")
    yield from duplicate_keys(board, "title")
    for panel in panels(board):
        title = panel["title"]
        targets = panel.get("targets", [])
        names = [target["refId"] for target in targets]
        distinct = set(names)
        is_ambiguous = len(distinct) < len(names)
        if not names or is_ambiguous:
            yield f"{title}: no query, or two with the same name"


def duplicate_keys(board: Board, key: str) -> Faults:
    """Yield a sentence for each value of a key that several panels have."""
    counts: Counter[Any] = Counter()
    for panel in board["panels"] + nested(board):
        if key in panel:
            value = panel[key]
            counts[value] += 1
    allowed = row_titles(board)
    for value, count in counts.items():
        if count > 1 and value not in allowed:
            yield f"{count} panels have the {key} {value}"


def nested(board: Board) -> list[Panel]:
    """Return the panels inside collapsed rows."""
    outside = board["panels"]
    inside = []
    for panel in panels(board):
        if panel not in outside:
            inside.append(panel)
    return inside


def row_titles(board: Board) -> set[str]:
    """Return the titles of rows, which panels may have too."""
    titles = set()
    for panel in board["panels"]:
        if panel["type"] == "row":
            title = panel["title"]
            titles.add(title)
    return titles


def datasource(board: Board) -> Faults:
    """Panels, queries, variables and annotations use the data source by its uid."""
    for panel in panels(board):
        title = panel["title"]
        yield from other_sources(panel, title)
        for target in panel["targets"]:
            yield from other_sources(target, title)
    for variable in listed_variables(board):
        name = variable["name"]
        yield from other_sources(variable, name)
    for mark in annotations(board):
        name = mark["name"]
        yield from other_sources(mark, name)


def other_sources(part: Json, title: str) -> Faults:
    """Yield a sentence if a part of a dashboard has another data source."""
    source = part.get("datasource")
    if source != DATASOURCE:
        yield f"{title}: the data source is not prometheus"


Cell = tuple[int, int]


def grid(board: Board) -> Faults:
    """No panel overlaps another or leaves the grid."""
    owners: dict[Cell, str] = {}
    for panel in board["panels"]:
        title = panel["title"]
        place = panel["gridPos"]
        cells = covered_cells(place)
        columns = [column for column, _ in cells]
        last_column = max(columns)
        if last_column >= COLUMNS:
            yield f"{title}: it leaves the {COLUMNS} columns"
        taken = cells & owners.keys()
        overlapped = {owners[cell] for cell in taken}
        for other in overlapped:
            yield f"{title}: it overlaps {other}"
        for cell in cells:
            owners[cell] = title


def covered_cells(place: dict[str, int]) -> set[Cell]:
    """Return the columns and lines of the grid that a panel covers."""
    left = place["x"]
    top = place["y"]
    right = left + place["w"]
    bottom = top + place["h"]
    columns = range(left, right)
    lines = range(top, bottom)
    return set(product(columns, lines))


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
        unknown = names - exported
        for name in sorted(unknown):
            if not OTHERS.match(name):
                yield f"{title}: nobody exports {name}"


def selection(board: Board) -> Faults:
    """Variables in queries exist."""
    variables = listed_variables(board)
    names = {variable["name"] for variable in variables}
    for title, expression in every_expression(board):
        for name in VARIABLE.findall(expression):
            if name not in names:
                yield f"{title}: the dashboard has no variable {name}"


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
