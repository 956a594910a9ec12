"""The dashboard: current, by the rules, and honest in what it tells people to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.dashboard.board import text
from tests.deploy.commands import unknown
from tests.deploy.files import DASHBOARD, Json, dashboard, panels
from tests.deploy.linter import RULES


def test_the_dashboard_is_current_run_python_m_scripts_dashboard() -> None:
    assert DASHBOARD.read_text() == text()


@pytest.mark.parametrize("rule", RULES)
def test_the_dashboard_keeps_the_rule(rule: str) -> None:
    assert list(RULES[rule](dashboard())) == []


def test_panels_tell_people_only_what_there_is() -> None:
    found = {panel["title"]: unknown(panel["description"]) for panel in panels(dashboard())}
    assert {title: missing for title, missing in found.items() if missing} == {}


# --- a rule that finds nothing in a broken dashboard is no rule ---------------------------------


def of_board(key: str, value: object) -> Callable[[Json], None]:
    return lambda board: board.update({key: value})


def of_variable(number: int, key: str, value: object) -> Callable[[Json], None]:
    return lambda board: board["templating"]["list"][number].update({key: value})


def of_panel(key: str, value: object) -> Callable[[Json], None]:
    return lambda board: panels(board)[0].update({key: value})


def of_target(key: str, value: object) -> Callable[[Json], None]:
    return lambda board: panels(board)[0]["targets"][0].update({key: value})


def asks(expression: str) -> Callable[[Json], None]:
    chosen = 'job=~"$job",instance=~"$instance"'
    return of_target("expr", expression.replace("CHOSEN", chosen))


OTHER = {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}
FAULTS = [
    ("uneditable-dashboard", of_board("editable", True)),
    ("template-datasource-rule", of_variable(0, "name", "source")),
    ("template-datasource-rule", of_variable(0, "label", "source")),
    ("template-datasource-rule", of_variable(0, "type", "constant")),
    ("template-job-rule", of_variable(1, "name", "work")),
    ("template-job-rule", of_variable(1, "multi", False)),
    ("template-job-rule", of_variable(1, "datasource", OTHER)),
    ("template-instance-rule", of_variable(2, "allValue", ".*")),
    ("template-instance-rule", of_variable(2, "label", "pod")),
    ("template-instance-rule", of_variable(2, "includeAll", False)),
    ("template-label-promql-rule", of_variable(1, "query", "label_values(initd_build_info{, job)")),
    ("template-label-promql-rule", of_variable(1, "query", "values(initd_build_info, job)")),
    ("template-on-time-change-reload-rule", of_variable(2, "refresh", 1)),
    ("panel-datasource-rule", of_panel("datasource", OTHER)),
    ("panel-datasource-rule", of_target("datasource", OTHER)),
    ("panel-datasource-rule", lambda board: board["annotations"]["list"][0].update(datasource=OTHER)),
    ("panel-title-description-rule", of_panel("title", "")),
    ("panel-title-description-rule", of_panel("description", "")),
    ("panel-units-rule", of_panel("fieldConfig", {"defaults": {}})),
    ("panel-units-rule", of_panel("fieldConfig", {"defaults": {"unit": "zombies"}})),
    ("panel-no-targets-rule", of_panel("targets", [])),
    ("target-promql-rule", asks("sum(initd_main_up{CHOSEN}")),
    ("target-rate-interval-rule", asks("rate(initd_web_restarts_total{CHOSEN}[5m])")),
    ("target-rate-interval-rule", asks("increase(initd_web_restarts_total{CHOSEN}[5m])")),
    ("target-rate-interval-rule", asks("deriv(initd_threads{CHOSEN}[$__rate_interval])")),
    ("target-job-rule", asks('initd_main_up{instance=~"$instance"}')),
    ("target-job-rule", asks('initd_main_up{job=~"initd",instance=~"$instance"}')),
    ("target-job-rule", asks('initd_main_up{CHOSEN} + initd_ready{instance=~"$instance"}')),
    ("target-instance-rule", asks('initd_main_up{job=~"$job"}')),
    ("target-instance-rule", asks('initd_main_up{job=~"$job",instance="$instance"}')),
    ("target-counter-agg-rule", asks("initd_web_restarts_total{CHOSEN}")),
    ("target-counter-agg-rule", asks("delta(initd_web_restarts_total{CHOSEN}[5m])")),
    ("target-histogram-rule", asks("rate(initd_reap_batch_seconds_bucket{CHOSEN}[$__rate_interval])")),
    ("rows are the questions, in order", lambda board: board["panels"].reverse()),
    ("ids and titles are unique", of_panel("id", 1)),
    ("ids and titles are unique", of_panel("title", "Who leaks?")),
    ("panels do not overlap", of_panel("gridPos", {"x": 6, "y": 1, "w": 12, "h": 8})),
    ("panels do not overlap", of_panel("gridPos", {"x": 20, "y": 99, "w": 12, "h": 8})),
    ("every query has a legend", of_target("legendFormat", "")),
]


@pytest.mark.parametrize(
    ("rule", "damage"), FAULTS, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_a_fault_is_found(rule: str, damage: Callable[[Json], None]) -> None:
    board = dashboard()
    damage(board)
    assert list(RULES[rule](board))


def test_every_rule_has_a_fault_that_it_finds() -> None:
    assert {rule for rule, _ in FAULTS} == set(RULES)


@pytest.mark.parametrize(
    "text",
    [
        "see `initctl zombis`",
        "see `initctl events --sort time`",
        "see `initctl events --kind adopted,orphaned`",
        "see `GET /api/v1/zombies?kind=orphaned`",
        "see `GET /api/v1/culprits`",
        "see `GET /api/v1/drain`",
        "see `/ready`",
        "run it with --kill-zombies",
    ],
)
def test_an_advice_that_nobody_can_follow_is_found(text: str) -> None:
    assert unknown(text)
    assert not unknown("`initctl zombies`, `/readyz?verbose`, `POST /api/v1/drain`, --kill-orphans, `drain`")
