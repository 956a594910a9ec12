"""The rules: accepted by promtool, each alert seen firing and seen silent, with words that help."""

from __future__ import annotations

import subprocess

import pytest

from tests.deploy.commands import unknown
from tests.deploy.files import PROMETHEUS, RULES, RULES_TEST, Json, alerts, document

NAMES = [rule["alert"] for rule in alerts()]


def promtool(*words: object) -> None:
    """Run it; what it says is what the failure shows."""
    done = subprocess.run(
        ["promtool", *map(str, words)], capture_output=True, check=False, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_configuration_and_its_rules() -> None:
    promtool("check", "config", "--lint=all", "--lint-fatal", PROMETHEUS)


def test_promtool_finds_nothing_to_improve_in_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)


def test_alerts_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", RULES_TEST)


def cases(alert: str) -> list[Json]:
    """The moments in rules_test.yml at which this alert is looked at."""
    groups = document(RULES_TEST)["tests"]
    return [
        case for group in groups for case in group.get("alert_rule_test", ()) if case["alertname"] == alert
    ]


@pytest.mark.parametrize("alert", NAMES)
def test_an_alert_is_seen_firing_and_seen_silent(alert: str) -> None:
    assert {bool(case.get("exp_alerts")) for case in cases(alert)} == {True, False}


def test_no_name_is_taken_twice_and_none_is_tested_that_there_is_not() -> None:
    tested = {
        case["alertname"]
        for group in document(RULES_TEST)["tests"]
        for case in group.get("alert_rule_test", ())
    }
    assert sorted(NAMES) == sorted(tested)


@pytest.mark.parametrize("rule", alerts(), ids=NAMES)
def test_an_alert_says_how_bad_it_is_where_and_what_to_do(rule: Json) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    said = rule["annotations"]
    assert set(said) == {"summary", "description", "runbook"}
    assert "{{ $labels.instance }}" in said["summary"]
    assert "{{ $labels.job }}" in said["description"]
    assert any(sign.isdigit() for sign in said["description"]) or "$value" in said["description"]


@pytest.mark.parametrize("rule", alerts(), ids=NAMES)
def test_a_runbook_tells_people_only_what_there_is(rule: Json) -> None:
    assert "`" in rule["annotations"]["runbook"]
    assert unknown(rule["annotations"]["runbook"]) == []
