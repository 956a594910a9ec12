"""checks.py: when main is ready by them; one verdict for each round, and of this main alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .checking import (
    HEALTH_WEB,
    READY_EXEC,
    READY_WEB,
    answer,
    round_of,
    shown,
    told,
    waiting,
)
from .driver import QUICK, begin, failing, prepare, running
from .test_readiness import tell


def test_main_is_ready_when_its_check_has_passed_and_not_before() -> None:
    world = waiting(*READY_WEB)
    assert (failing(world), failing(world, "startup")) == (["ready-http"], ["started"])
    assert world.ask("state")["status"]["ready"] is False
    world.advance(0.5)
    answer(world, True)
    assert (failing(world), failing(world, "startup")) == ([], [])
    assert told(world) == [("check.passed", None), ("main.ready", None)]
    assert world.history("check.passed")[0]["check"] == "ready-http"
    assert world.history("main.ready")[0]["after_seconds"] == 0.5


def test_a_first_failure_is_told_at_once_and_only_once() -> None:
    world = waiting(*READY_WEB)
    answer(world, False, "connection refused")
    round_of(world, False)
    assert told(world) == [("check.failed", "connection refused")]
    checks = {check["name"]: check["why"] for check in world.ask("ping")["checks"]}
    assert (checks["ready-http"], checks["started"]) == ("refused", "main has not become ready yet")
    assert shown(world)["failures"] == 2
    round_of(world, True)
    assert [kind for kind, _ in told(world)] == ["check.failed", "check.passed", "main.ready"]


def test_a_ready_main_bears_failures_below_their_number_and_a_pass_wipes_them_out() -> None:
    world = waiting(*READY_WEB)
    answer(world, True)
    for _ in range(3):
        round_of(world, False)
        round_of(world, False)
        assert (failing(world), shown(world)["failures"]) == ([], 2)
        round_of(world, True)
    assert len(told(world)) == 2
    for _ in range(3):
        round_of(world, False)
    assert (failing(world), failing(world, "startup")) == (["ready-http"], [])
    round_of(world, True)
    assert failing(world) == []
    kinds = [kind for kind, _ in told(world)]
    assert kinds == ["check.passed", "main.ready", "check.failed", "check.passed"]
    assert (world.signals, world.state) == ([], "running")


def test_how_many_failures_make_a_ready_main_unready_can_be_said() -> None:
    world = waiting(*READY_WEB, "--ready-failures", "1")
    answer(world, True)
    round_of(world, False)
    assert failing(world) == ["ready-http"]


def test_a_new_main_has_to_pass_again_and_startup_stays_passed() -> None:
    world = waiting(*READY_WEB, "--restart", "always")
    answer(world, True)
    world.end(world.pid(), 1)
    world.advance(0.5)
    assert (failing(world), failing(world, "startup")) == (["ready-http"], [])
    assert (shown(world)["passing"], shown(world)["why"], shown(world)["checked_at"]) == (None, None, None)
    answer(world, True)
    assert failing(world) == []
    assert len(world.history("main.ready")) == len(world.history("check.passed")) == 2


@pytest.mark.parametrize("word_first", [True, False])
def test_with_notify_it_takes_mains_word_and_the_check(word_first: bool) -> None:
    world = waiting(*READY_WEB, "--notify")
    steps: list[Callable[[], None]] = [lambda: tell(world, "READY=1"), lambda: answer(world, True)]
    for step in steps if word_first else reversed(steps):
        assert (failing(world, "startup"), world.history("main.ready")) == (["started"], [])
        step()
    assert (failing(world), failing(world, "startup")) == ([], [])
    tell(world, "READY=1")
    round_of(world, True)
    assert len(world.history("main.ready")) == 1


def test_every_check_of_readiness_has_to_pass() -> None:
    world = waiting(*READY_WEB, *READY_EXEC)
    answer(world, True)
    assert (failing(world), world.history("main.ready")) == (["ready-exec"], [])
    world.end(world.pid("ready-exec"), 0)
    assert (failing(world), len(world.history("main.ready"))) == ([], 1)


def test_a_check_of_health_is_not_what_readiness_waits_for() -> None:
    world = waiting(*HEALTH_WEB)
    assert (failing(world), failing(world, "startup")) == ([], [])
    round_of(world, True)
    assert told(world) == [("check.passed", None)]


def test_a_health_that_is_not_known_yet_does_not_keep_main_from_being_ready() -> None:
    world = waiting(*READY_WEB, *HEALTH_WEB)
    answer(world, True)
    assert (failing(world), len(world.history("main.ready"))) == ([], 1)


def test_before_main_runs_its_checks_are_not_passed() -> None:
    world = running(*READY_WEB, "--pre-start", "prepare")
    world.advance(5)
    assert failing(world) == ["main", "ready-http"]
    assert world.said("check") == []


# --- rounds that web makes -----------------------------------------------------------------------------


def test_web_is_asked_at_once_for_readiness_and_then_once_in_a_period() -> None:
    world = waiting(*READY_WEB, "--ready-period", "3s", "--ready-timeout", "2s")
    assert world.said("check") == [
        {"t": "check", "n": 1, "how": "http", "target": "http://127.0.0.1:8080/health", "timeout": 2.0}
    ]
    answer(world, True)
    world.advance(2.9)
    assert len(world.said("check")) == 1
    world.advance(0.2)
    assert [question["n"] for question in world.said("check")] == [1, 2]


def test_web_is_asked_for_health_after_a_first_period() -> None:
    world = waiting(*HEALTH_WEB)
    world.advance(9.9)
    assert world.said("check") == []
    world.advance(0.2)
    assert world.said("check") == [
        {"t": "check", "n": 1, "how": "tcp", "target": "127.0.0.1:8080", "timeout": 1.0}
    ]


def test_a_silent_web_is_asked_again_when_its_time_is_over_and_says_nothing_of_main() -> None:
    world = waiting(*READY_WEB)  # a period of 1 s, 1 s to look, and 1 s more to answer
    world.advance(1.5)
    assert len(world.said("check")) == 1
    world.advance(1.0)
    assert len(world.said("check")) == 2
    world.advance(4.0)
    assert len(world.said("check")) == 4
    assert told(world) == []
    assert (shown(world)["passing"], shown(world)["failures"]) == (None, 0)


@pytest.mark.parametrize("period", ["1s", "10s"])
def test_an_answer_that_comes_too_late_is_none(period: str) -> None:
    world = waiting(*READY_WEB, "--ready-period", period)
    world.advance(2.5)
    answer(world, True, question=0)
    assert (failing(world), told(world)) == (["ready-http"], [])


def test_a_second_answer_is_none() -> None:
    world = waiting(*READY_WEB, "--ready-failures", "1")
    answer(world, True)
    answer(world, False, "changed its mind")
    assert failing(world) == []


def test_an_answer_about_an_earlier_main_is_none() -> None:
    world = waiting(*READY_WEB, "--restart", "always")
    world.ask("main.restart")
    world.end(world.pid(), 0)
    answer(world, True, question=0)
    assert (world.state, failing(world), told(world)) == ("running", ["ready-http"], [])


def test_an_answer_after_main_ended_is_none() -> None:
    world = waiting(*READY_WEB, "--restart", "always")
    world.end(world.pid(), 1)
    answer(world, True)
    assert told(world) == []


@pytest.mark.parametrize("number", [None, 0, "1", 1.0, 1.5, [1], {}, True, -1, 2, 2**70])
def test_an_answer_to_no_question_changes_nothing(number: object) -> None:
    world = waiting(*READY_WEB)
    world.say({"t": "checked", "n": number, "ok": True})
    world.say({"t": "checked", "ok": True})
    assert (failing(world), told(world)) == (["ready-http"], [])
    answer(world, True)
    assert failing(world) == []


@pytest.mark.parametrize("ok", [1, "true", None, [], [True], {"ok": True}, 0])
@pytest.mark.parametrize("why", [None, 7, ["a"], "x" * 5000, "\ud800", "two\nlines"])
def test_anything_but_true_is_a_failure_with_a_short_why(ok: object, why: object) -> None:
    world = waiting(*READY_WEB)
    answer(world, ok, why)
    assert failing(world) == ["ready-http"]
    said = world.history("check.failed")[0]["why"]
    assert 0 < len(said) <= 200
    assert said != "None"


JSON = (
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.text(max_size=3) | st.lists(st.none())
)


@QUICK
@given(st.lists(st.dictionaries(st.sampled_from(["n", "ok", "why", "name"]), JSON), max_size=4))
def test_no_answer_at_all_breaks_anything(messages: list[dict[str, Any]]) -> None:
    world = waiting(*READY_WEB, "--health-exec", "look")
    for message in messages:
        world.say({**message, "t": "checked"})
    assert (world.state, world.signals, world.exits) == ("running", [], [])


def test_without_web_there_is_no_verdict_and_it_is_asked_when_it_is_back() -> None:
    world = begin(prepare(*READY_WEB))
    world.advance(5.0)
    assert (world.said("check"), told(world)) == ([], [])
    world.attach()
    world.advance(1.0)
    answer(world, True)
    assert failing(world) == []
    web = world.pid("web")
    world.end(web, 1)
    asked = len(world.said("check"))
    world.advance(8.0)
    assert (len(world.said("check")), failing(world)) == (asked, [])


def test_a_question_that_found_no_room_in_the_letterbox_is_asked_again() -> None:
    world = running(*READY_WEB)
    world.full = True
    world.tick()
    world.full = False
    assert world.said("check") == []
    world.advance(2.5)
    answer(world, True)
    assert failing(world) == []


def test_while_main_does_not_run_nobody_is_asked() -> None:
    world = waiting(*READY_WEB, *READY_EXEC)
    world.end(world.pid("ready-exec"), 0)
    world.ask("main.stop")
    asked = len(world.said("check"))
    world.advance(3.0)
    world.end(world.pid(), 0)
    world.advance(3.0)
    assert (len(world.said("check")), world.starts("ready-exec")) == (asked, 1)
    world.ask("main.start")
    world.tick()
    assert (len(world.said("check")), world.starts("ready-exec")) == (asked + 1, 2)
