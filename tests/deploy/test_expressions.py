"""Every expression of the dashboard and of the rules, asked of a real Prometheus that watches a real leak."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.deploy.files import alerts, dashboard, rules, targets
from tests.deploy.leaking import Prometheus, leaking, meddle, prometheus
from tests.deploy.promql import operands, selectors
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene

# What a machine may not have, by the beginning of the metric's name: there the answer is empty, and must be.
MAY_LACK = {
    "initd_cgroup_pressure_": "needs a kernel with CONFIG_PSI, and cgroup version 2 beside whatever else",
    "initd_cgroup_cpu_throttled_": "needs the cpu controller in our group",
}

World = tuple[Scene, Prometheus]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both, once two samples are there and people have begun to meddle."""
    with (
        leaking() as made,
        prometheus(tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{made.port}") as watching,
    ):
        wait_for(lambda: watching.query("count_over_time(initd_main_up[1m]) > 1"), "two samples")
        meddle(made)
        yield made, watching


def chosen(expression: str) -> str:
    """As Grafana sends it, with all instances chosen and a fine step."""
    for variable, value in {"$__rate_interval": "10s", "$job": ".+", "$instance": ".+"}.items():
        expression = expression.replace(variable, value)
    return expression


def lacking(expression: str, metrics: str) -> bool:
    """Whether a metric is asked for that is not in ``metrics``, and by the list above need not be."""
    shown = set(re.findall(r"^\w+", metrics, re.MULTILINE))
    names = [str(selector.name) for selector in selectors(expression)]
    return any(name.startswith(tuple(MAY_LACK)) and name not in shown for name in names)


def assert_answered(world: World, expression: str) -> None:
    made, watching = world
    if lacking(expression, made.tcp("GET", "/metrics").text):
        assert watching.query(expression) == []
        return

    def numbers() -> list[str]:
        meddle(made)
        values = [sample["value"][1] for sample in watching.query(expression)]
        return [value for value in values if value != "NaN"]

    wait_for(numbers, f"an answer to {expression}")


def test_only_what_a_machine_may_lack_may_be_absent() -> None:
    pressure = "rate(initd_cgroup_pressure_io_waiting_seconds_total[1m])"
    assert lacking(pressure, "initd_main_up 1")
    assert not lacking(pressure, "initd_cgroup_pressure_io_waiting_seconds_total 1")
    assert not lacking("initd_main_op", "initd_main_up 1")


PANELS = {name: target["expr"] for name, target in targets(dashboard())}
ANNOTATIONS = {each["name"]: each["expr"] for each in dashboard()["annotations"]["list"]}


@pytest.mark.parametrize("expression", PANELS.values(), ids=PANELS)
def test_a_panel_shows_something(world: World, expression: str) -> None:
    assert_answered(world, chosen(expression))


@pytest.mark.parametrize("expression", ANNOTATIONS.values(), ids=ANNOTATIONS)
def test_an_annotation_shows_something(world: World, expression: str) -> None:
    assert_answered(world, chosen(expression))


@pytest.mark.parametrize(
    "variable", [each for each in dashboard()["templating"]["list"] if each["type"] == "query"]
)
def test_a_variable_has_the_scene_among_its_values(world: World, variable: dict[str, str]) -> None:
    made, watching = world
    asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
    assert asked
    assert asked[2] == variable["name"]
    found = [
        sample["metric"][asked[2]] for sample in watching.query(f"group by ({asked[2]}) ({chosen(asked[1])})")
    ]
    assert found == {"job": ["initd"], "instance": [f"127.0.0.1:{made.port}"]}[asked[2]]


RECORDS = [rule["record"] for rule in rules() if "record" in rule]


@pytest.mark.parametrize("name", RECORDS)
def test_a_recorded_series_is_there(world: World, name: str) -> None:
    assert_answered(world, name)


@pytest.mark.parametrize("rule", alerts(), ids=[rule["alert"] for rule in alerts()])
def test_all_that_an_alert_compares_is_there(world: World, rule: dict[str, str]) -> None:
    for expression in operands(rule["expr"]):
        assert_answered(world, expression)


def test_prometheus_has_evaluated_every_rule_without_a_word(world: World) -> None:
    def evaluated() -> list[dict[str, str]]:
        groups = world[1].api("rules")["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else []

    found = wait_for(evaluated, "all rules to be evaluated")
    assert [(rule["name"], rule.get("lastError")) for rule in found if rule["health"] != "ok"] == []
    assert sorted(rule["name"] for rule in found) == sorted(
        rule.get("alert") or rule["record"] for rule in rules()
    )
