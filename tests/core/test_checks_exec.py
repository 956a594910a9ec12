"""checks.py, those that are a command: one at a time, in its time, and only where there is room."""

from __future__ import annotations

import pytest

from .checking import (
    HEALTH_EXEC,
    READY_EXEC,
    shown,
    told,
    waiting,
)
from .driver import KILL, failing, missing, no_fork, no_room, running


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
    world.advance(5)  # it is stuck in the kernel: no other one is started, and each round is one that failed
    assert (world.starts("ready-exec"), shown(world)["failures"]) == (1, 6)
    assert shown(world)["why"] == "the last one was killed, and has not ended"
    world.end(look, signal=KILL)
    assert shown(world)["failures"] == 6
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


def test_a_command_that_is_not_there_makes_nothing_ready_and_says_so() -> None:
    world = running(*READY_EXEC)
    world.failing["ready-exec"] = [missing("ready-exec")]
    world.tick()
    assert (told(world), shown(world)["passing"], shown(world)["why"]) == ([], None, "'server': not found")
    assert ("warning", "cannot run --ready-exec: 'server': not found; its last result stands") in world.logs
    world.advance(1.0)
    assert world.starts("ready-exec") == 1


def test_a_command_of_health_that_is_not_there_restarts_nobody() -> None:
    world = running(*HEALTH_EXEC)
    world.failing["health-exec"] = [missing("health-exec") for _ in range(4)]
    world.advance(9.0)
    assert (world.signals, world.starts(), shown(world)["skipped"]) == ([], 1, 4)


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


def test_that_no_process_can_be_made_is_told_once_and_not_each_second() -> None:
    world = waiting(*READY_EXEC, "--ready-period", "1s")
    world.end(world.pid("ready-exec"), 0)
    world.failing["ready-exec"] = [no_fork("ready-exec") for _ in range(5)]
    world.advance(5.5)
    assert len(world.history("fork.failed")) == 1
    world.advance(1.0)
    world.end(world.pid("ready-exec"), 0)
    world.failing["ready-exec"] = [no_fork("ready-exec")]
    world.advance(1.0)
    assert len(world.history("fork.failed")) == 2
