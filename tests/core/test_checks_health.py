"""checks.py, those of health: what it leads to when main is sick, and when it does not."""

from __future__ import annotations

import pytest

from .checking import (
    HEALTH_EXEC,
    HEALTH_WEB,
    READY_EXEC,
    READY_WEB,
    answer,
    round_of,
    shown,
    told,
    waiting,
)
from .driver import KILL, TERM, World, failing, running


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
