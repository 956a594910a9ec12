"""checks.py: round by round; one verdict for each, of this main alone, and what a failure leads to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .driver import KILL, QUICK, TERM, World, begin, failing, missing, no_fork, no_room, prepare, running
from .test_readiness import tell

READY_WEB = ("--ready-http", "8080/health")
HEALTH_WEB = ("--health-tcp", "8080")
READY_EXEC = ("--ready-exec", "look --well")
HEALTH_EXEC = ("--health-exec", "look --well", "--health-period", "2s")


def waiting(*options: str) -> World:
    """Main runs, and its first round of checks has begun."""
    world = running(*options)
    world.tick()
    return world


def answer(world: World, ok: object, why: object = None, question: int = -1) -> None:
    """web says what came of the question that it was asked last."""
    number = world.said("check")[question]["n"]
    world.say({"t": "checked", "n": number, "ok": ok, "why": why})


def round_of(world: World, ok: bool, unit: str = "") -> None:
    """The next round is made and ends: of web's check, or of a command's."""
    world.advance(max(0.0, world.desk.books.timers[f"{unit or name_of(world)}.due"] - world.now))
    if unit:
        world.end(world.pid(unit), 0 if ok else 1)
    else:
        answer(world, ok, None if ok else "refused")


def name_of(world: World) -> str:
    return next(iter(world.desk.books.vitals))


def shown(world: World, place: int = 0) -> dict[str, Any]:
    """A check as the status has it."""
    found: dict[str, Any] = world.ask("state")["status"]["main"]["checks"][place]
    return found


def told(world: World) -> list[tuple[str, str | None]]:
    """What became news, without whose it was."""
    kinds = ("check.passed", "check.failed", "main.ready")
    return [(event["kind"], event.get("why")) for event in world.history(*kinds)]


# --- readiness ----------------------------------------------------------------------------------------


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


# --- rounds that web makes ------------------------------------------------------------------------------


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


# --- rounds that are a command ----------------------------------------------------------------------------


def test_a_command_is_run_at_once_and_then_once_in_a_period() -> None:
    world = waiting(*READY_EXEC, "--ready-period", "3s")
    assert world.starts("ready-exec") == 1
    world.end(world.pid("ready-exec"), 0)
    assert failing(world) == []
    world.advance(2.9)
    assert world.starts("ready-exec") == 1
    world.advance(0.2)
    assert world.starts("ready-exec") == 2


def test_a_command_without_web_will_do() -> None:
    world = waiting(*READY_EXEC, "--no-http")
    world.end(world.pid("ready-exec"), 0)
    world.advance(1.0)
    assert (world.starts("ready-exec"), world.desk.books.vitals["ready-exec"].passing) == (2, True)


def test_a_command_that_takes_long_is_not_run_twice_at_a_time() -> None:
    world = waiting(*READY_EXEC, "--ready-period", "1s", "--ready-timeout", "10s")
    world.advance(5.5)
    assert world.starts("ready-exec") == 1
    world.end(world.pid("ready-exec"), 0)
    assert failing(world) == []
    world.advance(0.6)
    assert world.starts("ready-exec") == 2


@pytest.mark.parametrize(
    ("code", "signal", "why"),
    [(1, None, "exit code 1"), (255, None, "exit code 255"), (None, 11, "killed by SEGV")],
)
def test_any_end_of_a_command_but_0_is_a_failure_with_the_last_line_it_wrote(
    code: int | None, signal: int | None, why: str
) -> None:
    world = waiting(*READY_EXEC)
    world.end(world.pid("ready-exec"), code, signal, output="no route to the database")
    (event,) = world.history("check.failed")
    assert (event["check"], event["why"], event["output"]) == ("ready-exec", why, "no route to the database")
    assert shown(world)["why"] == why


def test_a_command_that_takes_too_long_is_killed_and_has_failed_once() -> None:
    world = waiting(*READY_EXEC, "--ready-timeout", "500ms", "--ready-period", "1s")
    look = world.pid("ready-exec")
    world.advance(0.4)
    assert world.signals == []
    world.advance(0.2)
    assert world.signals == [(look, KILL, True)]
    assert told(world) == [("check.failed", "it did not end within 0.5 s")]
    world.advance(5)  # it is stuck in the kernel: no other one is started
    assert (world.starts("ready-exec"), shown(world)["failures"]) == (1, 1)
    world.end(look, signal=KILL)
    assert shown(world)["failures"] == 1
    world.advance(1)
    assert world.starts("ready-exec") == 2


def test_a_command_that_ended_in_time_is_not_killed_later() -> None:
    world = waiting(*READY_EXEC)
    world.end(world.pid("ready-exec"), 0)
    world.advance(0.9)
    assert world.signals == []


def test_without_room_for_a_process_the_last_verdict_stands_and_it_is_said_once() -> None:
    world = waiting(*READY_EXEC)
    world.end(world.pid("ready-exec"), 0)
    world.failing["ready-exec"] = [no_room("ready-exec") for _ in range(5)]
    world.advance(5.0)
    assert world.failing["ready-exec"] == []
    assert (failing(world), world.starts("ready-exec")) == ([], 1)
    assert (shown(world)["passing"], shown(world)["failures"], shown(world)["skipped"]) == (True, 0, 5)
    warnings = [text for level, text in world.logs if level == "warning"]
    assert warnings == ["cannot run --ready-exec: pids are short (9 of 10); its last result stands"]
    assert world.history("fork.failed") == []
    world.advance(1.0)
    assert world.starts("ready-exec") == 2


def test_a_fork_that_fails_says_nothing_of_main_but_is_an_event() -> None:
    world = waiting(*HEALTH_EXEC, "--health-failures", "1")
    world.failing["health-exec"] = [no_fork("health-exec") for _ in range(3)]
    world.advance(7.0)
    assert (world.signals, told(world), shown(world)["skipped"]) == ([], [], 3)
    assert {event["unit"] for event in world.history("fork.failed")} == {"health-exec"}


def test_a_command_that_is_not_there_is_a_failure_that_says_so() -> None:
    world = running(*READY_EXEC)
    world.failing["ready-exec"] = [missing("ready-exec")]
    world.tick()
    assert told(world) == [("check.failed", "'server': not found")]
    world.advance(1.0)
    assert world.starts("ready-exec") == 1


def test_a_command_that_looked_at_an_earlier_main_says_nothing_of_this_one() -> None:
    world = waiting(*READY_EXEC, "--ready-timeout", "30s")
    old = world.pid("ready-exec")
    world.ask("main.restart")
    world.end(world.pid(), 0)
    world.tick()
    assert world.starts("ready-exec") == 1  # the old one is still at it
    world.end(old, 0)
    assert (failing(world), told(world)) == (["ready-exec"], [])
    world.advance(1.0)
    world.end(world.pid("ready-exec"), 0)
    assert failing(world) == []


def test_a_command_is_reaped_as_a_helper_and_fills_no_history() -> None:
    world = waiting(*READY_EXEC)
    world.ask("state")
    world.end(world.pid("ready-exec"), 0)
    ledger = world.desk.books.ledger
    assert (ledger.reaped["helper/exited"], ledger.adopted_total) == (1, 0)
    assert world.history("adopted", "reaped") == []


def test_a_pid_that_was_a_checks_may_be_an_orphans_later() -> None:
    world = waiting(*READY_EXEC)
    look = world.pid("ready-exec")
    world.end(look, 0)
    world.add_child("git", pid=look)
    world.end(look, 0)
    ledger = world.desk.books.ledger
    assert (ledger.reaped["helper/exited"], ledger.reaped["adopted/exited"]) == (1, 1)


# --- health -------------------------------------------------------------------------------------------------


def unwell(*options: str) -> World:
    """Main has failed its health check once too often."""
    world = waiting(*HEALTH_WEB, *options)
    for _ in range(3):
        assert world.signals == []
        round_of(world, False)
    return world


def test_a_main_that_is_unwell_is_restarted_under_every_policy_with_that_reason() -> None:
    world = unwell()
    main = world.pid()
    assert (world.signals, world.state) == ([(main, TERM, False)], "restarting")
    assert told(world) == [("check.failed", "refused")]
    assert "main failed --health-tcp 3 times (refused) and is restarted" in dict(world.logs)["warning"]
    world.end(main, signal=TERM)
    assert (world.state, world.starts()) == ("running", 2)
    restarts = world.desk.books.ledger.main_restarts
    assert restarts == {**dict.fromkeys(restarts, 0), "health": 1}
    assert (shown(world)["passing"], failing(world)) == (None, [])


def test_an_unwell_main_that_does_not_stop_is_killed() -> None:
    world = unwell("--stop-timeout", "3s")
    world.advance(3.1)
    assert world.signals[1:] == [(world.pid(), KILL, True)]


def test_a_pass_between_failures_keeps_main() -> None:
    world = waiting(*HEALTH_WEB)
    for _ in range(4):
        round_of(world, False)
        round_of(world, False)
        round_of(world, True)
    assert (world.signals, [kind for kind, _ in told(world)]) == ([], ["check.passed"])


def test_failures_within_the_grace_are_not_counted() -> None:
    world = waiting(*HEALTH_EXEC, "--health-grace", "10s", "--health-failures", "2")
    for _ in range(4):
        round_of(world, False, "health-exec")
    assert (shown(world)["failures"], shown(world)["why"]) == (0, "exit code 1")
    assert (world.signals, told(world), failing(world)) == ([], [], [])
    round_of(world, False, "health-exec")
    assert (shown(world)["failures"], world.signals) == (1, [])
    round_of(world, False, "health-exec")
    assert world.signals == [(world.pid(), TERM, False)]


def test_the_grace_of_health_is_none_of_readiness() -> None:
    world = waiting(*READY_WEB, "--health-grace", "1h")
    answer(world, False, "refused")
    assert told(world) == [("check.failed", "refused")]


def test_the_grace_is_each_mains_own() -> None:
    world = waiting(*HEALTH_EXEC, "--health-grace", "3s", "--health-failures", "1")
    for starts in (1, 2, 3):
        assert (world.state, world.starts()) == ("running", starts)
        round_of(world, False, "health-exec")
        assert world.state == "running"
        round_of(world, False, "health-exec")
        assert world.state == "restarting"
        world.end(world.pid(), signal=TERM)


def test_with_action_none_it_is_only_said_and_seen_until_it_passes() -> None:
    world = unwell("--health-action", "none")
    for _ in range(4):
        round_of(world, False)
    assert (world.signals, world.state, failing(world)) == ([], "running", ["health-tcp"])
    assert [text for level, text in world.logs if level == "warning"] == [
        "main failed --health-tcp 3 times (refused)"
    ]
    assert (shown(world)["passing"], shown(world)["failures"]) == (False, 7)
    round_of(world, True)
    assert (failing(world), shown(world)["why"]) == ([], None)
    assert [kind for kind, _ in told(world)] == ["check.failed", "check.passed"]
    for _ in range(3):
        round_of(world, False)
    assert len(world.history("check.failed")) == 2


def test_with_action_shutdown_main_is_stopped_and_its_code_is_ours() -> None:
    world = unwell("--health-action", "shutdown", "--restart", "always", "--sweep-timeout", "0")
    main = world.pid()
    assert (world.signals, world.state) == ([(main, TERM, False)], "stopping")
    assert failing(world)[:2] == ["main", "stopping"]
    world.end(main, 7)
    world.end(world.pid("web"), 0)
    assert (world.exits, world.starts()) == ([7], 1)


@pytest.mark.parametrize("action", ["restart", "shutdown"])
def test_a_main_that_is_leaving_is_left_to_it(action: str) -> None:
    world = waiting(*HEALTH_EXEC, "--health-action", action, "--drain", "9s", "--no-http")
    world.signal("TERM")
    for _ in range(4):
        round_of(world, False, "health-exec")
    assert (world.signals, world.state, world.sent) == ([], "running", [])
    assert world.desk.books.vitals["health-exec"].passing is False
    world.advance(1)
    assert world.signals == [(world.pid(), TERM, False)]


def test_a_stop_that_comes_while_an_unwell_main_stops_wins() -> None:
    world = unwell()
    world.ask("main.stop")
    world.end(world.pid(), 0)
    world.advance(30)
    assert (world.state, world.starts(), world.exits) == ("stopped", 1, [])
    world.ask("main.start")
    assert world.desk.books.ledger.main_restarts == {"exit": 0, "api": 1, "watchdog": 0, "health": 0}


def test_two_checks_of_health_restart_main_once() -> None:
    world = waiting(*HEALTH_WEB, "--health-exec", "look", "--health-failures", "1")
    world.advance(10)
    answer(world, False, "refused")
    world.end(world.pid("health-exec"), 1)
    assert (world.signals, len(world.history("check.failed"))) == ([(world.pid(), TERM, False)], 1)


def test_a_restart_for_health_runs_the_hooks() -> None:
    world = running(*HEALTH_WEB, "--pre-start", "before", "--post-stop", "after")
    world.end(world.pid("pre-start"), 0)
    for _ in range(3):
        round_of(world, False)
    world.end(world.pid(), 0)
    world.end(world.pid("post-stop"), 0)
    world.end(world.pid("pre-start"), 0)
    assert (world.state, world.starts()) == ("running", 2)
    assert world.desk.books.ledger.main_restarts["health"] == 1


def test_the_status_has_a_row_for_each_check_that_was_asked_for() -> None:
    world = waiting(*HEALTH_WEB, *READY_EXEC)
    world.end(world.pid("ready-exec"), 1)
    ready, health = world.ask("state")["status"]["main"]["checks"]
    assert ready == {
        "name": "ready-exec",
        "passing": False,
        "failures": 1,
        "skipped": 0,
        "why": "exit code 1",
        "checked_at": "2023-11-14T22:30:00.000Z",
    }
    assert (health["name"], health["passing"], health["checked_at"]) == ("health-tcp", None, None)


def test_a_freeze_makes_no_rounds_up() -> None:
    world = waiting(*READY_EXEC, *HEALTH_WEB)
    world.end(world.pid("ready-exec"), 0)
    world.leap(3600)
    assert (world.starts("ready-exec"), len(world.said("check"))) == (2, 1)
