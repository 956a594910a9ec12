"""What panels are made with: selectors of the chosen instances, and one function for each kind of panel.

Law of this file: nothing about initd but its metrics' prefix. A panel cannot be made here without a title,
a word on what to do, a unit and the chosen data source.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from grafana_foundation_sdk.builders import common, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

P = TypeVar("P", stat.Panel, statetimeline.Panel, timeseries.Panel)

SOURCE = DataSourceRef("prometheus", "$datasource")
CHOSEN = ('job=~"$job"', 'instance=~"$instance"')
GREEN, ORANGE, RED = "green", "orange", "red"
HEIGHT = 8


class Query(NamedTuple):
    """An expression, and how its series are called in the legend."""

    expression: str
    legend: str


def metric(name: str, **labels: str) -> str:
    """The series of ``initd_<name>`` of the chosen instances; a label may have one of several|values."""
    wanted = [f'{label}{"=~" if "|" in value else "="}"{value}"' for label, value in labels.items()]
    return f"initd_{name}{{{','.join([*CHOSEN, *wanted])}}}"


def rate(name: str, **labels: str) -> str:
    """How much a counter gains a second."""
    return f"rate({metric(name, **labels)}[$__rate_interval])"


def increase(name: str, **labels: str) -> str:
    """How much a counter gained from one point of the graph to the next."""
    return f"increase({metric(name, **labels)}[$__rate_interval])"


# --- the kinds of panel -------------------------------------------------------------------------


def number(title: str, advice: str, unit: str, *queries: Query, width: int) -> stat.Panel:
    """How it is now, for each instance: figures, and no graph behind them."""
    latest = common.ReduceDataOptions().calcs(["lastNotNull"])
    panel = stat.Panel().graph_mode(BigValueGraphMode.NONE).reduce_options(latest)
    return _panel(panel, title, advice, unit, queries, width)


def timeline(title: str, advice: str, *queries: Query, width: int) -> statetimeline.Panel:
    """States as a band of colours; its mappings give values their names."""
    panel = statetimeline.Panel().show_value(VisibilityMode.NEVER).row_height(0.8)
    return _panel(panel, title, advice, "none", queries, width)


def lines(title: str, advice: str, unit: str, *queries: Query, width: int) -> timeseries.Panel:
    """How it went."""
    panel = _graph().draw_style(GraphDrawStyle.LINE).fill_opacity(10)
    return _panel(panel, title, advice, unit, queries, width)


def layers(title: str, advice: str, unit: str, *queries: Query, width: int) -> timeseries.Panel:
    """Parts of a whole, on top of each other."""
    panel = _graph().draw_style(GraphDrawStyle.LINE).fill_opacity(40).stacking(_stacked())
    return _panel(panel, title, advice, unit, queries, width)


def bars(title: str, advice: str, *queries: Query, width: int) -> timeseries.Panel:
    """How often something happened, and when."""
    panel = _graph().draw_style(GraphDrawStyle.BARS).fill_opacity(80).stacking(_stacked())
    return _panel(panel, title, advice, "short", queries, width).no_value("never")


def _graph() -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST)
    return timeseries.Panel().min(0).legend(legend.placement(LegendPlacement.BOTTOM).show_legend(True))


def _stacked() -> common.StackingConfig:
    return common.StackingConfig().mode(StackingMode.NORMAL)


def _panel(panel: P, title: str, advice: str, unit: str, queries: tuple[Query, ...], width: int) -> P:
    panel.title(title).description(advice).unit(unit).datasource(SOURCE).height(HEIGHT).span(width)
    for letter, query in zip("ABCDEF", queries, strict=False):
        target = prometheus.Dataquery().ref_id(letter).datasource(SOURCE)
        target.expr(query.expression).legend_format(query.legend)
        panel.with_target(target.instant() if isinstance(panel, stat.Panel) else target.range())
    return panel


# --- colours ------------------------------------------------------------------------------------


def steps(first: str, *further: tuple[float, str]) -> ThresholdsConfig:
    """The colour of the smallest values, and where other colours begin."""
    rising = [Threshold(None, first), *(Threshold(value, color) for value, color in further)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(rising)


def dashed(panel: timeseries.Panel, *further: tuple[float, str]) -> timeseries.Panel:
    """Where it becomes serious, as lines across a graph."""
    style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(steps(GREEN, *further)).thresholds_style(style)


def words(*names: tuple[int, str, str]) -> ValueMap:
    """A name and a colour for each value."""
    return ValueMap(
        {
            str(value): ValueMappingResult(text, color, index=index)
            for index, (value, text, color) in enumerate(names)
        }
    )
