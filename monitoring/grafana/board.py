"""A dashboard around its panels: variables, annotations, links, and the JSON of all of
it.
"""

import json
from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from monitoring.grafana.parts import BLUE, PROMETHEUS, AnyPanel, Query

TAG = "mlops"
Section = tuple[str, Sequence[AnyPanel]]


def board(
    uid: str,
    title: str,
    about: str,
    sections: Sequence[Section],
    *,
    variables: Sequence[dashboard.QueryVariable] = (),
    annotations: Sequence[dashboard.AnnotationQuery] = (),
) -> dict[str, Any]:
    """Return the dashboard as Grafana's JSON: classic, since its provisioning refuses
    any other.
    """
    made = dashboard.Dashboard(title).uid(uid).description(about).tags([TAG]).readonly()
    made.time("now-1h", "now").refresh("30s").timezone("browser")
    made.tooltip(DashboardCursorSync.CROSSHAIR).variables(list(variables))
    made.annotations(list(annotations)).link(_to_the_others())
    for name, panels in sections:
        made.with_row(dashboard.Row(name))
        for panel in panels:
            made.with_panel(panel)
    built: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    for number, shown in enumerate(built["panels"], 1):
        shown["id"] = number  # else Grafana gives them out anew at each start
    for shown in [*built["links"], *built["annotations"].get("list", [])]:
        del shown["placement"]  # the only one that can be said hides them in a menu
    return built


def variable(name: str, label: str, expr: str, about: str) -> dashboard.QueryVariable:
    """Return a choice of a label's values, of which all are chosen at first."""
    every = VariableOption(selected=True, text="All", value="$__all")
    made = (
        dashboard.QueryVariable(name)
        .label(label)
        .description(about)
        .datasource(PROMETHEUS)
    )
    made.query(expr).definition(expr).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    made.sort(VariableSort.ALPHABETICAL_ASC).multi(True).include_all(True).current(
        every
    )
    return made


def annotation(name: str, query: Query, text: str) -> dashboard.AnnotationQuery:
    """Return marks in every graph, where the expression finds something."""
    made = (
        dashboard.AnnotationQuery().name(name).datasource(PROMETHEUS).expr(query.expr)
    )
    made.enable(True).hide(False).icon_color(BLUE)
    return made.title_format(query.legend).text_format(text).step("15s")


def _to_the_others() -> dashboard.DashboardLink:
    made = (
        dashboard.DashboardLink("Dashboards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
    )
    return made.as_dropdown(False).include_vars(False).keep_time(True)
