"""The published rules of grafana/dashboard-linter, under their names, and a few of our own.

Law of this file: each rule takes a dashboard and gives its faults as sentences, none when it is kept. PromQL
that cannot be parsed is target-promql-rule's alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

from promql_parser import Call, MatchOp, MatrixSelector, VectorSelector

from tests.deploy.files import Json, panels, targets
from tests.deploy.promql import RATE_INTERVAL, nodes, parsed, selectors

Faults = Iterator[str]

SOURCE = ("$datasource", "${datasource}")
# Of Grafana's many those that anything here could be measured in.
UNITS = ("none", "short", "percentunit", "s", "bytes", "ops", "reqps")
QUESTIONS = ["Is main well?", "Who leaks?", "How long until it is full?", "What did people do to it?"]


# --- the dashboard and its variables ------------------------------------------------------------


def _uneditable(board: Json) -> Faults:
    if board.get("editable") is not False:
        yield "it can be edited"


def _variables(board: Json, kind: str) -> list[Json]:
    return [each for each in board["templating"]["list"] if each["type"] == kind]


def _datasource(board: Json) -> Faults:
    found = [(each["name"], each.get("label")) for each in _variables(board, "datasource")]
    if found != [("datasource", "Data Source")]:
        yield f"its data source variables are {found}"


def _variable(name: str) -> Callable[[Json], Faults]:
    wanted = {"label": name.title(), "multi": True, "allValue": ".+", "includeAll": True}

    def rule(board: Json) -> Faults:
        found = [each for each in _variables(board, "query") if each["name"] == name]
        if not found:
            yield f"no variable {name}"
        for each in found:
            yield from (
                f"{name} has {key} {each.get(key)!r}" for key in wanted if each.get(key) != wanted[key]
            )
            if each["datasource"]["uid"] not in SOURCE:
                yield f"{name} asks another data source"

    return rule


def _label_promql(board: Json) -> Faults:
    for each in _variables(board, "query"):
        call = re.fullmatch(
            r"(?:label_values|label_names|metrics|query_result)\((.+?)(?:, \w+)?\)", each["query"]
        )
        if not call or not _valid(call[1]):
            yield f"{each['name']} asks {each['query']!r}"


def _reload(board: Json) -> Faults:
    for each in _variables(board, "query"):
        if each.get("refresh") != 2:  # on time range change
            yield f"{each['name']} is not asked again when the time range changes"


# --- panels -------------------------------------------------------------------------------------


def _panel_datasource(board: Json) -> Faults:
    asking = [(panel.get("title"), panel) for panel in panels(board)]
    asking += [*targets(board), *((each["name"], each) for each in board["annotations"]["list"])]
    for name, each in asking:
        if each.get("datasource", {}).get("uid") not in SOURCE:
            yield f"{name} asks another data source"


def _title_and_description(board: Json) -> Faults:
    for panel in panels(board):
        yield from (
            f"{panel.get('title')} has no {key}" for key in ("title", "description") if not panel.get(key)
        )


def _units(board: Json) -> Faults:
    for panel in panels(board):
        unit = panel["fieldConfig"]["defaults"].get("unit")
        if unit not in UNITS:
            yield f"{panel['title']} is in {unit}"


def _no_targets(board: Json) -> Faults:
    yield from (f"{panel['title']} asks nothing" for panel in panels(board) if not panel.get("targets"))


# --- queries ------------------------------------------------------------------------------------


def _valid(expression: str) -> bool:
    try:
        parsed(expression)
    except ValueError:
        return False
    return True


def _queries(board: Json) -> Iterator[tuple[str, str]]:
    return ((name, target["expr"]) for name, target in targets(board) if _valid(target["expr"]))


def _promql(board: Json) -> Faults:
    yield from (f"{name} is no PromQL" for name, target in targets(board) if not _valid(target["expr"]))


def _rate_interval(board: Json) -> Faults:
    for name, expression in _queries(board):
        for node, around in nodes(expression):
            counting = around and isinstance(around[-1], Call) and around[-1].func.name in _COUNTING
            if isinstance(node, MatrixSelector) and (node.range == RATE_INTERVAL) != counting:
                yield f"{name} has the wrong range"


def _matcher(label: str) -> Callable[[Json], Faults]:
    def rule(board: Json) -> Faults:
        for name, expression in _queries(board):
            for selector in selectors(expression):
                found = [(m.op, m.value) for m in selector.matchers.matchers if m.name == label]
                if found != [(MatchOp.Re, f"${label}")]:
                    yield f"{name}: {selector.name} does not ask for the chosen {label}"

    return rule


def _counter(board: Json) -> Faults:
    for name, expression in _queries(board):
        for node, around in nodes(expression):
            if isinstance(node, VectorSelector) and str(node.name).endswith(("_total", "_bucket")):
                call = around[-2] if len(around) > 1 else None
                if not isinstance(call, Call) or call.func.name not in _COUNTING:
                    yield f"{name}: {node.name} without rate or increase"


def _histogram(board: Json) -> Faults:
    for name, expression in _queries(board):
        for node, around in nodes(expression):
            calls = [each.func.name for each in around if isinstance(each, Call)]
            bucket = isinstance(node, VectorSelector) and str(node.name).endswith("_bucket")
            if bucket and "histogram_quantile" not in calls:
                yield f"{name} shows buckets"


_COUNTING = ("rate", "irate", "increase")


# --- our own ------------------------------------------------------------------------------------


def _questions(board: Json) -> Faults:
    found = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    if found[: len(QUESTIONS)] != QUESTIONS:
        yield f"the rows are {found}"


def _unique(board: Json) -> Faults:
    for key in ("id", "title"):
        values = [panel[key] for panel in board["panels"]]
        yield from (f"two panels have {key} {value}" for value in set(values) if values.count(value) > 1)


def _layout(board: Json) -> Faults:
    places = [(panel["title"], panel["gridPos"]) for panel in board["panels"]]
    yield from (f"{title} leaves the grid" for title, place in places if place["x"] + place["w"] > 24)
    for (one, p), (other, q) in combinations(places, 2):
        beside = p["x"] + p["w"] <= q["x"] or q["x"] + q["w"] <= p["x"]
        above = p["y"] + p["h"] <= q["y"] or q["y"] + q["h"] <= p["y"]
        if not (beside or above):
            yield f"{one} covers {other}"


def _legend(board: Json) -> Faults:
    yield from (f"{name} has no legend" for name, target in targets(board) if not target.get("legendFormat"))


RULES: dict[str, Callable[[Json], Faults]] = {
    "uneditable-dashboard": _uneditable,
    "template-datasource-rule": _datasource,
    "template-job-rule": _variable("job"),
    "template-instance-rule": _variable("instance"),
    "template-label-promql-rule": _label_promql,
    "template-on-time-change-reload-rule": _reload,
    "panel-datasource-rule": _panel_datasource,
    "panel-title-description-rule": _title_and_description,
    "panel-units-rule": _units,
    "panel-no-targets-rule": _no_targets,
    "target-promql-rule": _promql,
    "target-rate-interval-rule": _rate_interval,
    "target-job-rule": _matcher("job"),
    "target-instance-rule": _matcher("instance"),
    "target-counter-agg-rule": _counter,
    "target-histogram-rule": _histogram,
    "rows are the questions, in order": _questions,
    "ids and titles are unique": _unique,
    "panels do not overlap": _layout,
    "every query has a legend": _legend,
}
