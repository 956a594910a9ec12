"""hooks.py, before main: it starts when that has ended well, and never otherwise."""

from __future__ import annotations

import pytest

from .driver import HUP, KILL, TERM, World, begin, failing, missing, no_fork, prepare, running
from .hooking import PRE, end, finish, main_of


def test_main_is_started_when_what_runs_before_it_has_ended_well() -> None:
    world = running(*PRE)
    assert (world.starts("pre-start"), world.starts(), world.state) == (1, 0, "starting")
    assert (main_of(world)["hook"], main_of(world)["state"]) == ("pre-start", "starting")
    assert (failing(world), failing(world, "startup")) == (["main"], ["started"])
    world.advance(30)
    end(world, "pre-start")
    assert (world.starts(), world.state, main_of(world)["hook"]) == (1, "running", None)
    assert (failing(world), failing(world, "startup")) == ([], [])
    world.advance(60)
    assert [number for pid, number, _ in world.signals if pid != world.pid("web")] == []


@pytest.mark.parametrize(
    ("code", "signal", "why"),
    [(3, None, "exit code 3"), (None, 9, "killed by KILL"), (126, None, "exit code 126")],
)
def test_when_it_fails_main_is_not_started_and_our_code_is_125(
    code: int | None, signal: int | None, why: str
) -> None:
    world = running(*PRE)
    end(world, "pre-start", code, signal)
    assert ("error", f"cannot start main: --pre-start failed: {why}") in world.logs
    assert (finish(world), world.starts()) == ([125], 0)
    assert world.history("main.started", "main.exited") == []


def test_when_it_is_not_there_main_is_not_started() -> None:
    world = prepare(*PRE, "--no-http")
    world.failing["pre-start"] = [missing("pre-start")]
    begin(world)
    assert ("error", "cannot start main: --pre-start failed: 'server': not found") in world.logs
    assert (world.exits, world.starts()) == ([125], 0)


def test_when_it_takes_too_long_it_is_killed_and_main_is_not_started() -> None:
    world = running(*PRE, "--pre-start-timeout", "3s", "--no-http")
    hook = world.pid("pre-start")
    world.advance(2.9)
    assert world.signals == []
    world.advance(0.2)
    assert world.signals == [(hook, KILL, True)]
    world.end(hook, signal=KILL)
    assert ("error", "cannot start main: --pre-start failed: it did not end within 3 s") in world.logs
    assert (world.exits, world.starts()) == ([125], 0)
    assert len([text for level, text in world.logs if level == "error"]) == 1


@pytest.mark.parametrize("policy", ["no", "on-failure:1", "always"])
def test_when_no_process_can_be_made_it_is_tried_again_under_every_policy(policy: str) -> None:
    world = prepare(*PRE, "--restart", policy)
    world.failing["pre-start"] = [no_fork("pre-start") for _ in range(4)]
    begin(world)
    assert (world.state, main_of(world)["state"]) == ("backoff", "backoff")
    world.advance(0.5 + 1 + 2 + 4)
    assert {event["unit"] for event in world.history("fork.failed")} == {"pre-start"}
    assert len(world.history("fork.failed")) == 4
    end(world, "pre-start")
    assert (world.state, world.starts(), world.exits) == ("running", 1, [])


@pytest.mark.parametrize(("policy", "delays"), [("no", []), ("on-failure:2", [0.5, 1.0])])
def test_how_often_a_failing_one_is_tried_is_the_policys(policy: str, delays: list[float]) -> None:
    world = running(*PRE, "--restart", policy)
    for delay in delays:
        end(world, "pre-start", 1)
        assert (world.state, main_of(world)["hook"]) == ("backoff", None)
        world.advance(delay)
    end(world, "pre-start", 1)
    assert (finish(world), world.starts("pre-start"), world.starts()) == ([125], len(delays) + 1, 0)


def test_it_runs_before_each_start_and_its_failures_back_off() -> None:
    world = running(*PRE, "--restart", "always")
    end(world, "pre-start")
    world.end(world.pid(), 1)
    world.advance(0.5)
    for failures in (2, 3):
        end(world, "pre-start", 1)
        assert world.history("main.backoff")[-1]["failures"] == failures
        assert world.history("main.backoff")[-1]["why"] == "--pre-start failed: exit code 1"
        world.advance(2 ** (failures - 2))
    end(world, "pre-start")
    assert (world.state, world.starts(), world.starts("pre-start")) == ("running", 2, 4)


@pytest.mark.parametrize("by_signal", [True, False])
def test_a_stop_ends_it_by_term_and_main_is_not_started(by_signal: bool) -> None:
    world = running(*PRE, "--drain", "5s")
    hook = world.pid("pre-start")
    if by_signal:
        world.signal("TERM")
    else:
        world.ask("shutdown")
    assert (world.signals, main_of(world)["state"]) == ([(hook, TERM, True)], "stopping")
    world.end(hook, signal=TERM)
    finish(world)
    assert (len(world.exits), world.starts()) == (1, 0)
    assert [level for level, _ in world.logs if level == "error"] == []


def test_one_that_does_not_mind_a_stop_and_ends_well_starts_no_main() -> None:
    world = running(*PRE)
    world.signal("TERM")
    end(world, "pre-start", 0)
    assert (len(finish(world)), world.starts()) == (1, 0)


def test_a_second_stop_signal_kills_it() -> None:
    world = running(*PRE)
    hook = world.pid("pre-start")
    world.signal("TERM")
    world.signal("TERM")
    assert world.signals == [(hook, TERM, True), (hook, KILL, True)]


def test_one_that_does_not_stop_is_killed_after_the_stop_timeout() -> None:
    world = running(*PRE, "--stop-timeout", "4s")
    hook = world.pid("pre-start")
    world.signal("TERM")
    world.advance(3.9)
    assert world.signals == [(hook, TERM, True)]
    world.advance(0.2)
    assert world.signals[1:] == [(hook, KILL, True)]
    world.end(hook, signal=KILL)
    assert (len(finish(world)), world.starts()) == (1, 0)


def test_other_signals_are_not_for_it() -> None:
    world = running(*PRE)
    for name in ("HUP", "USR1", "WINCH"):
        world.signal(name)
    assert (world.signals, world.state) == ([], "starting")
    assert HUP not in [number for _, number, _ in world.signals]


def test_after_an_api_stop_it_can_be_started_again_with_it() -> None:
    world = running(*PRE)
    asked = world.ask("main.stop")["operation"]["id"]
    end(world, "pre-start", signal=TERM)
    assert (world.state, world.exits) == ("stopped", [])
    assert world.ask("operation", id=asked)["operation"]["state"] == "done"
    asked = world.ask("main.start")["operation"]["id"]
    assert (world.state, world.starts("pre-start"), world.starts()) == ("starting", 2, 0)
    assert world.ask("operation", id=asked)["operation"]["state"] == "running"
    end(world, "pre-start")
    assert (world.state, world.starts()) == ("running", 1)
    assert world.ask("operation", id=asked)["operation"]["state"] == "done"


@pytest.mark.parametrize("what", ["main.start", "main.restart"])
def test_a_start_that_is_asked_for_while_it_runs_is_the_one_under_way(what: str) -> None:
    world = running(*PRE)
    asked = world.ask(what)["operation"]["id"]
    assert (world.signals, world.starts("pre-start")) == ([], 1)
    end(world, "pre-start")
    assert world.ask("operation", id=asked)["operation"]["state"] == "done"
    assert (world.state, world.starts(), world.starts("pre-start")) == ("running", 1, 1)


@pytest.mark.parametrize("what", ["main.start", "main.restart"])
def test_a_start_after_a_stop_waits_for_the_old_one_to_end(what: str) -> None:
    world = running(*PRE)
    world.ask("main.stop")
    world.ask(what)
    assert world.starts("pre-start") == 1
    end(world, "pre-start", signal=TERM)
    assert (world.state, world.starts("pre-start")) == ("starting", 2)
    end(world, "pre-start")
    assert (world.state, world.starts()) == ("running", 1)


def test_a_start_after_a_stop_does_not_fail_because_the_old_one_ran_out_of_time() -> None:
    """Stopped at 1 s it goes on; started again at 2 s; its time is over at 3 s, and then it is killed."""
    world = running(*PRE, "--pre-start-timeout", "3s")
    hook = world.pid("pre-start")
    world.advance(1)
    world.ask("main.stop")
    world.advance(1)
    world.ask("main.start")
    world.advance(1.5)
    world.end(hook, signal=KILL)
    assert (world.exits, world.desk.books.phase) == ([], "up")
    assert [text for level, text in world.logs if level == "error"] == []
    world.advance(0.5)
    end(world, "pre-start")
    assert (world.state, world.starts()) == ("running", 1)


@pytest.mark.parametrize("again", [(), ("main.start",), ("main.restart",), ("main.start", "main.restart")])
def test_a_start_from_rest_that_fails_leaves_main_at_rest_and_us_alive(again: tuple[str, ...]) -> None:
    world = running(*PRE)
    end(world, "pre-start")
    world.ask("main.stop")
    world.end(world.pid(), 0)
    asked = [world.ask(what)["operation"]["id"] for what in ("main.start", *again)]
    end(world, "pre-start", 1)
    assert (world.state, world.desk.books.phase, world.exits) == ("stopped", "up", [])
    assert world.ask("operation", id=asked[-1])["operation"]["state"] == "failed"
    world.ask("main.start")
    end(world, "pre-start")
    assert world.state == "running"


def test_a_start_from_rest_that_takes_two_attempts_holds_nothing_back_once_it_runs() -> None:
    """Stopped and started by the API; the second attempt succeeds; when that main ends well, so do we."""
    world = running(*PRE, "--restart", "on-failure")
    end(world, "pre-start")
    world.ask("main.stop")
    world.end(world.pid(), 0)
    world.ask("main.start")
    end(world, "pre-start", 1)
    world.advance(0.5)
    end(world, "pre-start")
    world.end(world.pid(), 0)
    assert finish(world) == [0]


def test_a_restart_runs_it_between_the_two_mains() -> None:
    world = running(*PRE)
    end(world, "pre-start")
    world.ask("main.restart")
    assert world.starts("pre-start") == 1
    world.end(world.pid(), 0)
    assert (world.starts("pre-start"), world.starts()) == (2, 1)
    end(world, "pre-start")
    assert world.starts() == 2
    assert world.desk.books.ledger.main_restarts["api"] == 1


def test_it_is_reaped_as_a_helper_and_nobody_adopted_it() -> None:
    world = running(*PRE)
    world.ask("state")
    end(world, "pre-start")
    ledger = world.desk.books.ledger
    assert (ledger.reaped["helper/exited"], ledger.adopted_total) == (1, 0)
    (event,) = world.history("reaped")
    assert (event["origin"], event["code"]) == ("helper", 0)


def test_a_pause_has_no_main_and_nothing_to_run_before_it() -> None:
    """catatonit -P, where INITD_PRE_START is in the environment."""
    from initd import personas
    from initd.books import Init
    from initd.core import Core
    from initd.desk import Desk
    from initd.persona_catatonit import PROGRAM

    config = personas.parse(PROGRAM, "catatonit", ["-P"], {"INITD_PRE_START": "x", "INITD_POST_STOP": "x"})
    world = begin(World(Desk(Core(config, Init(1, 0, "pid1", 0.0, ()), lambda: 0.0))))
    assert world.starts("pre-start") == 0
    world.signal("TERM")
    assert world.exits == [0]


@pytest.mark.parametrize(("ended", "signal", "code"), [(None, TERM, 143), (0, None, 0), (7, None, 7)])
def test_stopped_before_main_was_started_we_leave_as_what_ran_before_it_did(
    ended: int | None, signal: int | None, code: int
) -> None:
    world = running(*PRE, "--no-http")
    hook = world.pid("pre-start")
    world.signal("TERM")
    world.end(hook, ended, signal)
    assert (world.exits, world.starts()) == ([code], 0)
    assert [text for level, text in world.logs if level == "error"] == []
