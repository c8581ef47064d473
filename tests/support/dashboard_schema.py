"""The rule that Grafana's own types can hold a dashboard."""

import json
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.support.dashboards import Board

# Grafana adds these to an export; the types do not know them.
EXPORTED = {"iteration"}


def schema(board: Board) -> Iterator[str]:
    """Grafana's own types can hold all of it."""
    own = {}
    for key, value in board.items():
        if key not in EXPORTED:
            own[key] = value
    parsed = parse(board)
    for path in lost_places(own, parsed, ""):
        yield f"Grafana does not know {path}"


def parse(board: Board) -> Board:
    """Return what is left of a dashboard when it went through Grafana's types."""
    register_default_plugins()  # without them queries and panels are not parsed
    dashboard = Dashboard.from_json(board)
    encoded = json.dumps(dashboard, cls=JSONEncoder)
    parsed: Board = json.loads(encoded)
    return parsed


def lost_places(
    value: Any,
    parsed: Any,
    path: str,
) -> Iterator[str]:
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
