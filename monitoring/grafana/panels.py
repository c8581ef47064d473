"""The panels of what changes with time.

A panel without data shows its `empty` text in place of "No data": the reason, and what
to do.
"""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models.dashboard import (
    FieldColorModeId,
    ValueMap,
    ValueMappingResult,
)

from monitoring.grafana.parts import (
    BLUE,
    GREEN,
    HALF,
    LOW,
    SIXTH,
    TALL,
    About,
    P,
    Query,
    Steps,
    dress,
    target,
    tooltip,
)


def graph(
    about: About, *queries: Query, width: int = HALF, steps: Steps = ((None, GREEN),)
) -> timeseries.Panel:
    """Return lines over time; with more than one step, the steps are lines too."""
    panel = dress(timeseries.Panel(), about, width, TALL, steps)
    legend = common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.TABLE)
    legend.placement(kinds.LegendPlacement.RIGHT).show_legend(True).calcs(
        ["lastNotNull", "max"]
    )
    panel.legend(legend).tooltip(tooltip()).line_width(1).fill_opacity(10)
    panel.show_points(kinds.VisibilityMode.NEVER).axis_soft_min(0)
    panel.color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
    if len(steps) > 1:
        style = common.GraphThresholdsStyleConfig().mode(
            kinds.GraphThresholdsStyleMode.DASHED
        )
        panel.thresholds_style(style)
    return _ask(panel, queries)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Let a graph's lines stand one on the other: their sum means something."""
    stacking = common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A")
    return panel.stacking(stacking).fill_opacity(40)


def number(
    about: About,
    *queries: Query,
    width: int = SIXTH,
    steps: Steps = ((None, GREEN),),
    words: dict[str, tuple[str, str]] | None = None,
) -> stat.Panel:
    """Return the newest values, large; `words` says a value's text and colour."""
    panel = dress(stat.Panel(), about, width, LOW, steps)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.graph_mode(kinds.BigValueGraphMode.NONE)
    panel.color_mode(kinds.BigValueColorMode.VALUE)
    if words:
        panel.mappings([_words(words)])
    return _ask(panel, queries)


def states(
    about: About, *queries: Query, words: dict[str, tuple[str, str]], width: int = HALF
) -> statetimeline.Panel:
    """Return a band for each line of what it was when."""
    panel = dress(statetimeline.Panel(), about, width, TALL, ((None, BLUE),))
    panel.mappings([_words(words)]).merge_values(True).show_value(
        kinds.VisibilityMode.AUTO
    )
    panel.row_height(0.8).fill_opacity(70)
    panel.legend(common.VizLegendOptions().show_legend(False))
    return _ask(panel, queries)


def bars(
    about: About, *queries: Query, width: int = HALF, steps: Steps = ((None, GREEN),)
) -> bargauge.Panel:
    """Return a bar for each of the newest values."""
    panel = dress(bargauge.Panel(), about, width, TALL, steps).min(0)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.orientation(kinds.VizOrientation.HORIZONTAL)
    panel.display_mode(kinds.BarGaugeDisplayMode.BASIC)
    return _ask(panel, queries)


def _ask(panel: P, queries: Sequence[Query]) -> P:
    for name, query in zip("ABCDEF", queries, strict=False):
        panel.with_target(target(query, name).range())
    return panel


def _words(words: dict[str, tuple[str, str]]) -> ValueMap:
    return ValueMap(
        {
            value: ValueMappingResult(text=text, color=colour, index=place)
            for place, (value, (text, colour)) in enumerate(words.items())
        }
    )
