"""What every panel has: its text, its query, its colours and its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
    trend,
)
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

PROMETHEUS = kinds.DataSourceRef(type_val="prometheus", uid="prometheus")
GREEN, YELLOW, ORANGE, RED, BLUE = "green", "yellow", "orange", "red", "blue"
# The grid is 24 columns wide.
HALF, THIRD, QUARTER, SIXTH, WHOLE = 12, 8, 6, 4, 24
TALL, LOW = 8, 4

AnyPanel = (
    bargauge.Panel
    | stat.Panel
    | statetimeline.Panel
    | table.Panel
    | timeseries.Panel
    | trend.Panel
)
P = TypeVar(
    "P",
    bargauge.Panel,
    stat.Panel,
    statetimeline.Panel,
    table.Panel,
    timeseries.Panel,
    trend.Panel,
)
Steps = Sequence[tuple[float | None, str]]


@dataclass(frozen=True)
class Query:
    """An expression and the name of what it finds; `${…}` and `{{…}}` are Grafana's."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class About:
    """What a panel says of itself.

    Attributes:
        title: what it shows.
        description: what that means, and when to worry.
        unit: one of `grafana_foundation_sdk.models.units`.
        empty: why there may be nothing to show, and what to do then.
    """

    title: str
    description: str
    unit: str
    empty: str


def dress(panel: P, about: About, width: int, height: int, steps: Steps) -> P:
    """Give a panel its text, its place and its thresholds."""
    panel.title(about.title).description(about.description).datasource(PROMETHEUS)
    panel.unit(about.unit).no_value(about.empty).span(width).height(height)
    panel.thresholds(thresholds(steps))
    return panel


def target(query: Query, name: str) -> prometheus.Dataquery:
    """Return the query as Prometheus' data source has it."""
    found = prometheus.Dataquery().expr(query.expr).ref_id(name).datasource(PROMETHEUS)
    return found.legend_format(query.legend or "__auto")


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Return from which values on which colours hold."""
    marks = [Threshold(value, colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(marks)


def tooltip() -> common.VizTooltipOptions:
    """Return the box that tells all lines' values under the pointer."""
    told = common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI)
    return told.sort(kinds.SortOrder.DESCENDING)
