"""The metrics that queries name, and those that the API and the history export."""

import re
from collections.abc import Iterator

from app.observability.metrics import Metrics
from history.metrics import FAMILIES, Exporter

# Metrics of other programs: tests/stack/test_dashboards.py asks Prometheus for them.
OTHERS = re.compile(
    r"^(node|container|haproxy|prometheus|process|scrape)_|^(up|ALERTS)$"
)
KEYWORDS = {
    "and",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "offset",
    "on",
    "or",
    "unless",
}
SUFFIXES = {
    "counter": ["_total"],
    "histogram": ["_bucket", "_count", "_sum"],
}
# The parts of an expression in which there is no metric, in the order to remove them.
NO_METRICS = (
    r'"(?:[^"\\]|\\.)*"',
    r"\{[^}]*\}|\[[^\]]*\]",
    r"\b(by|on|group_left|group_right|ignoring) ?\([^)]*\)",
    r"\b\d[\w.]*",
)


def metric_names(expression: str) -> set[str]:
    """Return the metrics of an expression, without labels, functions and keywords."""
    for pattern in NO_METRICS:
        expression = re.sub(pattern, "", expression)
    names = re.findall(r"[a-zA-Z_:][\w:]*(?!\w*\s*\()", expression)
    return set(names) - KEYWORDS


def exported_metrics() -> Iterator[str]:
    """Yield the names of all samples of the API and of the history's exporter."""
    yield from FAMILIES
    for registry in (Metrics().registry, Exporter().registry):
        for family in registry.collect():
            yield family.name
            for suffix in SUFFIXES.get(family.type, []):
                yield family.name + suffix
