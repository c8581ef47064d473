"""Tables of what is now, and lines over the number of the push."""

from dataclasses import replace
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, table, trend
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from monitoring.grafana.parts import (
    GREEN,
    HALF,
    TALL,
    WHOLE,
    About,
    Query,
    Steps,
    dress,
    target,
    thresholds,
    tooltip,
)


def rows(
    about: About,
    columns: dict[str, str],
    *queries: Query,
    sort: tuple[str, bool],
    width: int = WHOLE,
    height: int = TALL,
) -> table.Panel:
    """Return a table of what is now; `columns`: labels and `Value` (`Value #A`, …) by
    their titles.

    Labels that are the same in every query make the rows; `sort` is a title, and
    whether it falls.
    """
    panel = dress(table.Panel(), about, width, height, ((None, GREEN),))
    for found, query in zip("ABCD", queries, strict=False):
        panel.with_target(target(query, found).instant().format(PromQueryFormat.TABLE))
    panel.with_transformation(DataTransformerConfig("merge", options={}))
    organize = {
        "includeByName": dict.fromkeys(columns, True),
        "indexByName": {name: place for place, name in enumerate(columns)},
        "renameByName": columns,
    }
    panel.with_transformation(DataTransformerConfig("organize", options=organize))
    field, falls = sort
    by = {"fields": {}, "sort": [{"field": field, "desc": falls}]}
    panel.with_transformation(DataTransformerConfig("sortBy", options=by))
    return panel


def by_push(about: About, expr: str, width: int = HALF) -> trend.Panel:
    """Return lines over the number of the push; the expression's labels are `push` and
    `series`.

    Pushes lie before the time that Prometheus knows, so the newest sample tells of them
    all. Where there is none, this kind of panel does not say `empty`: the description
    does.
    """
    about = replace(about, description=f"{about.description} {about.empty}")
    panel = dress(trend.Panel(), about, width, TALL, ((None, GREEN),))
    panel.with_target(target(Query(expr), "A").instant().format(PromQueryFormat.TABLE))
    key = "push\\series"  # what the matrix calls its first column
    matrix = {
        "columnField": "series",
        "rowField": "push",
        "valueField": "Value",
        "emptyValue": "null",
    }
    numbers = {
        "conversions": [{"targetField": key, "destinationType": "number"}],
        "fields": {},
    }
    rising = {"fields": {}, "sort": [{"field": key, "desc": False}]}
    named: dict[str, Any] = {
        "renameByName": {key: "push"},
        "excludeByName": {},
        "indexByName": {},
    }
    for step, options in (
        ("groupingToMatrix", matrix),
        ("convertFieldType", numbers),
        ("sortBy", rising),
        ("organize", named),
    ):
        panel.with_transformation(DataTransformerConfig(step, options=options))
    legend = common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST)
    legend.placement(kinds.LegendPlacement.BOTTOM).show_legend(True)
    panel.x_field("push").legend(legend).tooltip(tooltip()).line_width(1).point_size(6)
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    return panel.show_points(kinds.VisibilityMode.ALWAYS).span_nulls(True)


def colour_column(panel: table.Panel, title: str, steps: Steps) -> table.Panel:
    """Colour a column's cells by their values."""
    cell = {"type": "color-background", "mode": "basic"}
    values = [
        DynamicConfigValue("custom.cellOptions", cell),
        DynamicConfigValue("thresholds", thresholds(steps).build()),
    ]
    return panel.override_by_name(title, values)


def unit_column(panel: table.Panel, title: str, unit: str) -> table.Panel:
    """Give a column a unit of its own."""
    return panel.override_by_name(title, [DynamicConfigValue("unit", unit)])
