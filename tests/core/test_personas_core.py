"""The core as another init: what it says, whom it tells at the end, when it stops itself, how it pauses."""

from __future__ import annotations

import pytest

from initd import persona_catatonit, persona_dumb_init, persona_tini, personas, signals
from initd.books import Init
from initd.core import Core
from initd.desk import Desk
from initd.model import MAIN

from .driver import World, begin, running

PROGRAMS = {
    "tini": persona_tini.PROGRAM,
    "dumb-init": persona_dumb_init.PROGRAM,
    "catatonit": persona_catatonit.PROGRAM,
}
OURSELVES = 40
STOP, TERM = signals.NUMBERS["STOP"], signals.NUMBERS["TERM"]


def unstarted(name: str, line: str, pid: int = OURSELVES) -> World:
    config = personas.parse(PROGRAMS[name], name, line.split(), {})
    return World(Desk(Core(config, Init(pid, 0, "pid1", 1_700_000_000.0, ()), lambda: 0.0)))


def being(name: str, line: str = "x") -> World:
    return begin(unstarted(name, line))


def ending(world: World, code: int = 5) -> list[tuple[int, int, bool]]:
    """Main ends; the signals that are sent because of it."""
    pid = world.pid()
    world.end(pid, code)
    assert world.exits == [code]
    return [(number if target == -pid else 0, target, group) for target, number, group in world.signals]


@pytest.mark.parametrize(
    ("name", "line", "number"),
    [
        ("dumb-init", "x", TERM),
        ("dumb-init", "-r 15:3 x", 3),
        ("dumb-init", "-r 15:0 x", None),
        ("dumb-init", "-c x", None),
        ("tini", "x", None),
        ("tini", "-g x", None),
        ("catatonit", "-g x", None),
    ],
)
def test_only_dumb_init_says_farewell_to_mains_group_and_none_waits(
    name: str, line: str, number: int | None
) -> None:
    sent = ending(being(name, line))
    assert [first for first, _, _ in sent] == ([] if number is None else [number])
    assert not any(group for _, _, group in sent)


def test_none_of_them_sweeps() -> None:
    for name in PROGRAMS:
        world = being(name)
        world.others.add(99)
        ending(world)
        assert world.sweeps == []


@pytest.mark.parametrize("name", ["TSTP", "TTIN", "TTOU"])
def test_in_a_session_what_the_terminal_stops_is_stopped_and_we_after_it(name: str) -> None:
    world = being("dumb-init")
    world.signal(name)
    assert world.signals == [(world.pid(), STOP, True), (OURSELVES, STOP, False)]


def test_as_pid_1_we_send_ourselves_nothing() -> None:
    """Nothing stops PID 1, and the vain STOP would throw away a CONT that is on its way."""
    for world in (begin(unstarted("dumb-init", "x", pid=1)), running("--session", "--no-http")):
        world.signal("TSTP")
        assert world.signals == [(world.pid(), STOP, True)]


def test_a_single_child_gets_the_terminals_signal_as_it_is_and_we_stop_all_the_same() -> None:
    world = being("dumb-init", "-c x")
    world.signal("TSTP")
    assert world.signals == [(world.pid(), signals.NUMBERS["TSTP"], False), (OURSELVES, STOP, False)]


def test_a_dropped_terminal_signal_stops_us_still_as_it_does_dumb_init() -> None:
    world = being("dumb-init", f"-r {signals.NUMBERS['TSTP']}:0 x")
    world.signal("TSTP")
    assert world.signals == [(OURSELVES, STOP, False)]


@pytest.mark.parametrize("options", [("--no-http",), ("--no-http", "--group")])
def test_without_a_session_we_never_stop_ourselves(options: tuple[str, ...]) -> None:
    world = running(*options)
    for name in ("TSTP", "TTIN", "TTOU"):
        world.signal(name)
    assert {pid for pid, _, _ in world.signals} == {world.pid()}


def test_a_rewrite_of_the_users_own_wins_over_the_sessions() -> None:
    world = running("--session", "--no-http", "-r", "TSTP:USR1")
    world.signal("TSTP")
    assert world.signals[0] == (world.pid(), signals.NUMBERS["USR1"], True)


def test_our_own_words_give_way_to_its_but_what_is_wrong_is_said() -> None:
    world = being("tini", "-v x")
    world.desk.books.log("info", "of ours")
    world.desk.books.log("warning", "what is wrong")
    world.settle()
    pid = world.pid()
    world.end(pid, 3)
    assert ("warning", "what is wrong") in world.logs
    assert ("info", f"Spawned child process 'x' with pid '{pid}'") in world.logs
    assert ("info", "Main child exited normally (with status '3')") in world.logs
    assert not any("of ours" in text or "exit code" in text for _, text in world.logs)


def test_a_pause_starts_nothing_and_ends_by_int_or_term_alone() -> None:
    for last in ("INT", "TERM"):
        world = unstarted("catatonit", "-P")
        world.perform(world.desk.core.begin(world.now, world.wall))
        for name in ("HUP", "QUIT", "USR1", "WINCH"):
            world.signal(name)
        assert (world.starts(MAIN), world.exits, world.signals) == (0, [], [])
        world.signal(last)
        assert world.exits == [0]


def test_a_pause_has_no_main_to_start() -> None:
    world = unstarted("catatonit", "-P")
    world.perform(world.desk.core.begin(world.now, world.wall))
    reply = world.ask("main.start")
    assert (reply["ok"], reply["error"]["code"]) == (False, "wrong_state")
    assert world.starts(MAIN) == 0


@pytest.mark.parametrize(("name", "line"), [("tini", "-vvv x"), ("dumb-init", "-v x"), ("catatonit", "x")])
def test_a_main_that_died_of_a_signal_without_a_name_is_an_end_like_any_other(name: str, line: str) -> None:
    world = being(name, line)
    world.end(world.pid(), signal=33)
    assert world.exits == [161]
    assert name == "catatonit" or any(" signal" in text for _, text in world.logs)


def test_dumb_init_says_what_it_did_not_forward() -> None:
    world = being("dumb-init", "-v -r 15:0 x")
    world.end(world.pid(), 0)
    assert ("debug", "Not forwarding signal 0 to children (ignored).") in world.logs
