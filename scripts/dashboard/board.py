"""The dashboard as a whole: its variables, its mark for every start of main, and the rows in order.

Law of this file: what belongs to no panel.
"""

from __future__ import annotations

import json
from itertools import count

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from scripts.dashboard.kit import SOURCE, metric
from scripts.dashboard.rows import ROWS

# Metrics that every initd has, whatever it does.
EVERY = "initd_build_info"


def text() -> str:
    """The file deploy/grafana/initd.json."""
    return json.dumps(board().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def board() -> Dashboard:
    """Not editable: who wants another one copies it, and this one stays what the repository says."""
    made = (
        Dashboard("initd")
        .uid("initd")
        .description(
            "A container's PID 1: is main well, who leaks, how long until full, what did people do to it."
        )
        .tags(["initd", "containers"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .timezone("browser")
        .time("now-3h", "now")
        .refresh("1m")
        .with_variable(DatasourceVariable("datasource").label("Data Source").type("prometheus"))
        .with_variable(_choice("job", "Job", f"label_values({EVERY}, job)"))
        .with_variable(_choice("instance", "Instance", f'label_values({EVERY}{{job=~"$job"}}, instance)'))
        .annotation(_starts())
    )
    number = count(1)
    for question, panels in ROWS.items():
        made.with_row(Row(question).id(next(number)))
        for panel in panels():
            made.with_panel(panel.id(next(number)))
    return made


def _choice(name: str, label: str, query: str) -> QueryVariable:
    every = VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(every)
    )


def _starts() -> AnnotationQuery:
    """Marks each start of main on every graph; a minute, because that is how often Grafana looks."""
    started = f"time() - {metric('main_start_timestamp_seconds')} < 60"
    return (
        AnnotationQuery()
        .name("Main started")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("blue")
        .expr(started)
    )
