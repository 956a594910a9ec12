"""forwarding.py: a forwarded signal is only forwarded; INT, TERM, QUIT also begin a stop."""

from __future__ import annotations

import pytest

from .driver import HUP, TERM, World, running

ENDS = ("INT", "TERM", "QUIT")


def leaving(world: World) -> bool:
    return world.desk.books.phase != "up" or bool(world.exits)


@pytest.mark.parametrize("name", ["HUP", "USR1", "USR2", "WINCH", "CONT", "TSTP", "RTMIN+3"])
def test_a_signal_is_forwarded_and_main_goes_on(name: str) -> None:
    world = running("--restart", "always")
    world.signal(name, 77)
    assert [(pid, group) for pid, _, group in world.signals] == [(world.pid(), False)]
    event = world.history("signal.forwarded")[0]
    assert (event["signal"], event["received"]) == (name, name)
    assert event["sender"] == {"pid": 77, "uid": 0, "name": None}
    assert not world.desk.books.retiring
    assert world.ask("ping")["checks"][0]["ok"]


@pytest.mark.parametrize("options", [("-g",), ("--session",)])
def test_with_group_or_session_it_goes_to_the_group(options: tuple[str, ...]) -> None:
    world = running(*options)
    world.signal("HUP")
    assert world.signals == [(world.pid(), HUP, True)]


def test_real_time_signals_are_counted_as_one() -> None:
    world = running()
    world.signal("RTMIN+1")
    world.signal("RTMIN+5")
    assert world.desk.books.ledger.signals["RT/forwarded"] == 2


@pytest.mark.parametrize("name", ENDS)
def test_a_stop_signal_never_escalates_and_ends_restarts(name: str) -> None:
    world = running("--restart", "always")
    world.signal(name)
    world.advance(3600)
    assert [pid for pid, _, _ in world.signals if pid == world.pid()] == [world.pid()]
    assert not world.ready
    world.end(world.pid(), 5)
    assert (world.starts(), leaving(world)) == (1, True)


def test_term_while_main_is_in_backoff_ends_the_init_with_mains_last_code() -> None:
    world = running("--restart", "always", "--no-http")
    world.end(world.pid(), 6)
    world.signal("TERM")
    assert (world.exits, world.starts()) == ([6], 1)


def test_term_while_main_is_held_stopped_ends_the_init() -> None:
    world = running("--no-http", "--restart", "always")
    world.ask("main.stop")
    world.end(world.pid(), 8)
    assert world.exits == []
    world.signal("TERM")
    assert world.exits == [8]


def test_term_during_a_restart_makes_it_a_stop() -> None:
    world = running("--no-http", "--restart", "always")
    operation = world.ask("main.restart")["operation"]["id"]
    world.signal("TERM")
    world.end(world.pid(), 2)
    assert (world.exits, world.starts()) == ([2], 1)
    done = world.desk.books.operations.get(operation)
    assert done is not None
    assert done["state"] == "failed"


def test_term_during_a_stop_lets_the_init_end_with_main() -> None:
    world = running("--no-http")
    world.ask("main.stop")
    world.signal("TERM")
    assert [number for _, number, _ in world.signals] == [TERM, TERM]
    world.end(world.pid(), 3)
    assert world.exits == [3]


@pytest.mark.parametrize("what", ["main.start", "main.restart"])
def test_start_or_restart_undoes_a_stop_that_a_signal_began(what: str) -> None:
    world = running("--restart", "always")
    world.signal("TERM")
    assert not world.ready
    world.ask(what)
    world.end(world.pid(), 1)
    world.advance(1)
    assert (world.state, world.starts(), world.exits) == ("running", 2, [])
    assert world.ready


def test_an_api_stop_does_not_undo_a_stop_that_a_signal_began() -> None:
    world = running("--no-http")
    world.signal("TERM")
    world.ask("main.stop")
    world.end(world.pid(), 4)
    assert world.exits == [4]


# --- rewrite ------------------------------------------------------------------------------------------------


def test_a_rewritten_stop_signal_arrives_as_another_and_still_begins_a_stop() -> None:
    world = running("--restart", "always", "-r", "TERM:QUIT")
    world.signal("TERM")
    assert world.signals == [(world.pid(), 3, False)]
    event = world.history("signal.forwarded")[0]
    assert (event["signal"], event["received"]) == ("QUIT", "TERM")
    assert world.desk.books.ledger.signals["QUIT/forwarded"] == 1
    assert world.desk.books.retiring


def test_what_is_rewritten_to_a_stop_signal_begins_no_stop() -> None:
    world = running("--restart", "always", "-r", "HUP:TERM")
    world.signal("HUP")
    assert world.signals == [(world.pid(), TERM, False)]
    assert not world.desk.books.retiring


@pytest.mark.parametrize("name", [*ENDS, "HUP"])
def test_a_signal_rewritten_to_nothing_is_neither_forwarded_nor_a_stop(name: str) -> None:
    world = running("--restart", "always", "--drain", "5s", "-r", f"{name}:0")
    world.signal(name)
    assert (world.signals, world.history("signal.forwarded", "drain")) == ([], [])
    assert not world.desk.books.retiring
    assert world.ready
    world.end(world.pid(), 0)
    world.advance(1)
    assert world.starts() == 2


def test_a_dropped_stop_signal_does_not_hasten_a_sweep() -> None:
    world = running("-r", "TERM:0")
    world.others.add(99)
    world.end(world.pid(), 0)
    world.signal("TERM")
    assert 9 not in world.sweeps


# --- drain --------------------------------------------------------------------------------------------------


def test_drain_holds_a_term_back_while_readiness_is_off() -> None:
    world = running("--drain", "5s")
    world.signal("TERM")
    assert (world.signals, world.ready, world.state) == ([], False, "running")
    assert [event["hold_seconds"] for event in world.history("drain")] == [5.0]
    world.advance(4.9)
    assert world.signals == []
    world.advance(0.2)
    assert world.signals == [(world.pid(), TERM, False)]
    world.advance(60)
    assert [signal for signal in world.signals if signal[0] == world.pid()] == [(world.pid(), TERM, False)]


def test_a_second_term_goes_through_at_once_and_the_first_is_not_sent_again() -> None:
    world = running("--drain", "5s")
    world.signal("TERM")
    world.signal("TERM")
    assert world.signals == [(world.pid(), TERM, False)]
    world.advance(6)
    assert len(world.history("signal.forwarded")) == 1


def test_other_signals_pass_a_drain() -> None:
    world = running("--drain", "5s")
    world.signal("TERM")
    world.signal("HUP")
    assert world.signals == [(world.pid(), HUP, False)]


def test_a_held_signal_is_rewritten_when_it_goes() -> None:
    world = running("--drain", "5s", "-r", "TERM:INT")
    world.signal("TERM")
    world.advance(5.1)
    assert world.signals == [(world.pid(), 2, False)]


def test_a_main_that_ends_during_a_drain_is_not_restarted() -> None:
    world = running("--drain", "5s", "--restart", "always", "--no-http")
    world.signal("TERM")
    world.end(world.pid(), 3)
    assert (world.exits, world.starts()) == ([3], 1)


def test_nobody_is_held_back_for_where_there_is_no_main() -> None:
    world = running("--drain", "5s", "--restart", "always", "--no-http")
    world.end(world.pid(), 3)
    world.signal("TERM")
    assert world.exits == [3]


def test_term_during_a_restart_and_a_drain_starts_nothing_again() -> None:
    world = running("--drain", "5s", "--no-http")
    world.ask("main.restart")
    world.signal("TERM")
    world.end(world.pid(), 3)
    world.advance(6)
    assert (world.exits, world.starts()) == ([3], 1)


def test_a_term_held_back_during_an_api_stop_ends_the_init_when_it_goes() -> None:
    world = running("--drain", "5s", "--no-http")
    world.ask("main.stop")
    world.signal("TERM")
    world.end(world.pid(), 3)
    world.advance(5.1)
    assert world.exits == [3]


def test_a_restart_ends_a_drain() -> None:
    world = running("--drain", "5s")
    world.signal("TERM")
    world.ask("main.restart")
    world.end(world.pid(), 0)
    world.advance(10)
    assert (world.state, world.starts(), world.ready) == ("running", 2, True)
    assert world.history("signal.forwarded") == []


def test_an_api_drain_turns_readiness_off_and_stops_nothing() -> None:
    world = running("--restart", "always")
    assert world.ask("drain")["draining"] is True
    assert world.ask("drain")["draining"] is True
    assert (world.ready, len(world.history("drain"))) == (False, 1)
    world.end(world.pid(), 1)
    world.advance(1)
    assert world.starts() == 2
