"""supervisor.py: restart policies end to end, what people may ask, stop-timeout and KILL."""

from __future__ import annotations

import pytest

from initd.inputs import SpawnFailed

from .driver import KILL, TERM, World, missing, no_fork, prepare, running


def end_and_wait(world: World, code: int = 1) -> None:
    world.end(world.pid(), code)
    world.advance(0.75)


def finished(world: World) -> list[int]:
    """Time enough for a sweep and web's farewell."""
    web = [child.id.pid for child in world.children.values() if child.unit == "web"]
    if web and not world.exits:
        world.advance(0.1)
        world.end(web[0], 0)
    return world.exits


# --- policies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_without_a_policy_the_init_leaves_with_mains_code(code: int) -> None:
    world = running()
    world.end(world.pid(), code)
    assert finished(world) == [code]
    assert world.starts() == 1


def test_a_main_killed_by_a_signal_gives_128_and_its_number() -> None:
    world = running()
    world.end(world.pid(), signal=11)
    assert finished(world) == [139]


def test_an_expected_exit_counts_as_zero_and_the_truth_is_told() -> None:
    world = running("-e", "143", "-e", "7")
    world.end(world.pid(), signal=TERM)
    assert world.ask("state")["status"]["main"]["last_exit"]["signal"] == "TERM"
    assert finished(world) == [0]


def test_always_restarts_even_a_clean_exit() -> None:
    world = running("--restart", "always")
    end_and_wait(world, 0)
    assert (world.state, world.starts(), world.exits) == ("running", 2, [])
    assert world.desk.books.ledger.main_restarts == {"exit": 1, "api": 0, "watchdog": 0, "health": 0}


def test_on_failure_restarts_a_failure_and_lets_a_clean_exit_be_the_end() -> None:
    world = running("--restart", "on-failure")
    end_and_wait(world, 3)
    assert world.state == "running"
    world.end(world.pid(), 0)
    assert finished(world) == [0]


def test_on_failure_takes_an_expected_code_for_a_clean_exit() -> None:
    world = running("--restart", "on-failure", "-e", "3")
    world.end(world.pid(), 3)
    assert finished(world) == [0]


def test_on_failure_with_a_limit_gives_up_with_the_last_code() -> None:
    world = running("--restart", "on-failure:2")
    world.end(world.pid(), 1)
    world.advance(0.5)
    world.end(world.pid(), 2)
    world.advance(1)
    world.end(world.pid(), 3)
    assert world.starts() == 3
    assert finished(world) == [3]


def test_a_restart_that_somebody_asked_for_is_no_failure() -> None:
    world = running("--restart", "on-failure:1")
    world.ask("main.restart")
    world.end(world.pid(), signal=TERM)
    end_and_wait(world, 1)
    assert (world.state, world.exits) == ("running", [])


def test_backoff_is_waited_out_and_told() -> None:
    world = running("--restart", "always", dice=0.5)
    world.end(world.pid(), 1)
    assert world.state == "backoff"
    assert world.history("main.backoff")[0]["delay_seconds"] == 0.55
    assert world.ask("state")["counters"]["main_restart_delay_seconds"] == 0.55
    world.advance(0.54)
    assert world.starts() == 1
    world.advance(0.02)
    assert world.starts() == 2


# --- spawning that fails --------------------------------------------------------------------------------


def test_a_fork_that_fails_is_tried_again_under_every_policy() -> None:
    world = prepare()
    world.feed(no_fork())
    world.failing["main"] = [no_fork(), no_fork()]
    world.perform(world.desk.core.begin(world.now, world.wall))
    world.advance(4)
    assert (world.state, world.starts()) == ("running", 1)
    assert [event["room"] for event in world.history("fork.failed")] == ["pids 10 of 10"] * 3
    assert world.desk.books.restarts == 0
    assert any(text.startswith("cannot run ") and "10 of 10" in text for _, text in world.logs)


@pytest.mark.parametrize(("found", "code"), [(False, 126), (True, 127)])
def test_a_command_that_cannot_be_executed_any_more_ends_the_init(found: bool, code: int) -> None:
    world = running()
    world.failing["main"] = [missing() if found else no_exec()]
    operation = world.ask("main.restart")["operation"]["id"]
    world.end(world.pid(), 0)
    assert world.desk.books.operations.get(operation) is not None
    assert world.said("operation")[-1]["operation"]["state"] == "failed"
    assert finished(world) == [code]


def no_exec() -> SpawnFailed:
    return SpawnFailed("main", "permission denied", forking=False)


def test_always_goes_on_trying_to_execute() -> None:
    world = running("--restart", "always")
    world.failing["main"] = [missing(), missing()]
    world.end(world.pid(), 1)
    world.advance(10)
    assert (world.state, world.starts()) == ("running", 2)


# --- stop, start, restart -------------------------------------------------------------------------------


def test_stop_keeps_the_init_and_start_brings_main_back() -> None:
    world = running("--restart", "always")
    stop = world.ask("main.stop")["operation"]
    assert (stop["action"], stop["state"], world.state) == ("stop", "running", "stopping")
    assert world.signals == [(world.pid(), TERM, False)]
    world.end(world.pid(), signal=TERM)
    world.advance(60)
    assert (world.state, world.exits, world.starts()) == ("stopped", [], 1)
    assert world.ask("operation", id=stop["id"])["operation"]["state"] == "done"
    start = world.ask("main.start")["operation"]
    assert (world.state, world.starts()) == ("running", 2)
    assert world.ask("operation", id=start["id"])["operation"]["state"] == "done"
    assert world.history("main.stopped")[0]["held"] is True


def test_restart_stops_and_starts_under_every_policy() -> None:
    world = running()
    operation = world.ask("main.restart")["operation"]
    assert world.desk.books.main_state == "stopping"
    world.end(world.pid(), signal=TERM)
    assert (world.state, world.starts(), world.exits) == ("running", 2, [])
    assert world.ask("operation", id=operation["id"])["operation"]["detail"].endswith(f"pid {world.pid()}")
    assert world.desk.books.ledger.main_restarts["api"] == 1
    assert world.desk.books.ledger.main_restarts["exit"] == 0


def test_each_restart_is_counted_under_its_own_reason() -> None:
    world = running("--restart", "always")
    world.ask("main.restart")
    world.end(world.pid(), 0)
    end_and_wait(world)
    counted = world.desk.books.ledger.main_restarts
    assert (counted["api"], counted["exit"], world.desk.books.restarts) == (1, 1, 2)


def test_asking_twice_is_asking_once() -> None:
    world = running()
    first, second = world.ask("main.stop")["operation"], world.ask("main.stop")["operation"]
    assert first["id"] == second["id"]
    assert len(world.signals) == 1
    world.end(world.pid(), 0)
    again = world.ask("main.stop")["operation"]
    assert (again["state"], again["id"]) == ("done", first["id"] + 1)
    assert world.exits == []


def test_starting_what_runs_is_done_at_once() -> None:
    world = running("--restart", "always")
    assert world.ask("main.start")["operation"]["state"] == "done"
    assert world.starts() == 1
    end_and_wait(world)
    assert world.desk.books.ledger.main_restarts["exit"] == 1


@pytest.mark.parametrize(("later", "starts"), [("main.start", 2), ("main.restart", 2), ("shutdown", 1)])
def test_a_later_wish_supersedes_a_stop(later: str, starts: int) -> None:
    world = running()
    stop = world.ask("main.stop")["operation"]["id"]
    world.ask(later)
    former = world.ask("operation", id=stop)["operation"]
    assert former["state"] == "failed"
    assert former["detail"] == f"superseded by {later.removeprefix('main.')}"
    assert len(world.signals) == 1
    world.end(world.pid(), 0)
    assert world.starts() == starts


def test_a_stop_supersedes_a_restart_under_way() -> None:
    world = running()
    world.ask("main.restart")
    world.ask("main.stop")
    world.end(world.pid(), 0)
    assert (world.state, world.starts(), world.exits) == ("stopped", 1, [])


def test_stop_in_backoff_is_done_at_once_and_nothing_is_started() -> None:
    world = running("--restart", "always")
    world.end(world.pid(), 1)
    assert world.ask("main.stop")["operation"]["state"] == "done"
    world.advance(60)
    assert (world.state, world.starts(), world.exits) == ("stopped", 1, [])


@pytest.mark.parametrize("what", ["main.start", "main.restart"])
def test_start_and_restart_end_a_backoff_early(what: str) -> None:
    world = running("--restart", "always")
    world.end(world.pid(), 1)
    operation = world.ask(what)["operation"]["id"]
    assert world.ask("operation", id=operation)["operation"]["state"] == "done"
    world.advance(9)
    assert (world.state, world.starts()) == ("running", 2)
    assert world.desk.books.ledger.main_restarts["api"] == 1


def test_stop_timeout_ends_in_kill_to_the_group_again_and_again() -> None:
    world = running("--stop-signal", "INT", "--stop-timeout", "3s")
    pid = world.pid()
    world.ask("main.stop")
    world.advance(2.9)
    assert world.signals == [(pid, 2, False)]
    world.advance(2.2)
    assert world.signals == [(pid, 2, False), (pid, KILL, True), (pid, KILL, True), (pid, KILL, True)]
    world.end(pid, signal=KILL)
    world.advance(5)
    assert len(world.signals) == 4
    assert world.desk.books.ledger.signals["INT/stop"] == 1
    assert world.desk.books.ledger.signals["KILL/stop"] == 3


def test_with_group_a_stop_goes_to_the_group() -> None:
    world = running("-g")
    world.ask("main.stop")
    assert world.signals == [(world.pid(), TERM, True)]


def test_an_operation_that_nobody_began_is_not_finished_by_mains_own_end() -> None:
    world = running("--restart", "always")
    world.end(world.pid(), 1)
    assert world.said("operation") == []
    assert world.ask("operation", id=1)["error"]["code"] == "no_such_operation"


def test_the_api_may_do_nothing_once_the_end_has_begun() -> None:
    world = running()
    world.others.add(99)
    world.end(world.pid(), 0)
    for what in ("main.start", "main.restart", "main.stop"):
        assert world.ask(what)["error"]["code"] == "wrong_state"
    assert world.ask("shutdown")["operation"]["state"] == "done"
    assert world.starts() == 1
