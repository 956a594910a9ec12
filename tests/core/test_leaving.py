"""leaving.py: sweep by TERM, KILL and at last without success; web's farewell; one exit, after main's end."""

from __future__ import annotations

import pytest

from .driver import KILL, TERM, World, begin, prepare, running


def left_behind(*options: str) -> World:
    """Main has ended with 5, and a grandchild is still there."""
    world = running(*options)
    world.others.add(99)
    world.end(world.pid(), 5)
    return world


def end_web(world: World) -> None:
    """If it was started once more, it ends when it is told to."""
    for web in [child.id.pid for child in world.children.values() if child.unit == "web"]:
        world.end(web, 0)


def test_what_is_left_gets_term_and_the_init_leaves_when_it_is_gone() -> None:
    world = left_behind("--no-http")
    assert world.sweeps[0] == TERM
    world.advance(0.3)
    assert world.exits == []
    world.others.clear()
    world.advance(0.03)
    assert world.exits == [5]
    assert KILL not in world.sweeps
    assert world.desk.books.ledger.signals["TERM/sweep"] == 1


def test_an_orphans_end_is_noticed_without_waiting() -> None:
    world = left_behind("--no-http")
    world.others.clear()
    world.end(world.add_child("last").id.pid, 0)
    assert world.exits == [5]


def test_what_was_forked_while_the_kill_went_round_is_killed_too() -> None:
    world = left_behind("--no-http")
    world.advance(1.01)
    world.others = {100}
    before = world.sweeps.count(KILL)
    world.advance(0.1)
    assert world.sweeps.count(KILL) > before


def test_everybody_who_is_swept_is_counted() -> None:
    world = running("--no-http")
    world.others |= {98, 99}
    world.end(world.pid(), 0)
    assert world.desk.books.ledger.signals["TERM/sweep"] == 2
    world.advance(1.01)
    assert world.desk.books.ledger.signals["KILL/sweep"] >= 2


def test_after_the_timeout_it_is_killed_and_after_one_more_second_given_up() -> None:
    world = left_behind("--no-http", "--sweep-timeout", "2s")
    world.advance(1.95)
    assert KILL not in world.sweeps
    world.advance(0.1)
    assert KILL in world.sweeps
    assert world.exits == []
    world.advance(1)
    assert world.exits == [5]


def test_a_second_stop_signal_ends_the_patience() -> None:
    world = left_behind("--no-http", "--sweep-timeout", "60s")
    world.signal("HUP")
    assert KILL not in world.sweeps
    world.signal("TERM")
    assert KILL in world.sweeps
    world.advance(1.1)
    assert world.exits == [5]


def test_signals_that_keep_coming_do_not_put_the_end_off() -> None:
    world = left_behind("--no-http", "--sweep-timeout", "60s")
    for _ in range(30):
        world.signal("TERM")
        world.advance(0.1)
    assert world.exits == [5]


def test_without_a_sweep_nobody_is_signalled() -> None:
    world = left_behind("--no-http", "--sweep-timeout", "0")
    assert (world.sweeps, world.exits) == ([], [5])


def test_where_nothing_is_left_the_init_leaves_at_once() -> None:
    world = running("--no-http")
    world.end(world.pid(), 0)
    assert (world.exits, world.sweeps) == ([0], [TERM])
    assert world.desk.books.ledger.signals["TERM/sweep"] == 0


def test_the_end_is_told_before_web_is_sent_away() -> None:
    world = running()
    web = world.pid("web")
    world.end(world.pid(), 5)
    assert [message["t"] for message in world.sent][-2:] == ["events", "bye"]
    assert world.said("events")[-1]["events"][-1] == world.history("shutdown")[0]
    assert world.history("shutdown")[0]["code"] == 5
    assert world.signals == [(web, TERM, False)]
    world.end(web, 0)
    assert world.exits == [5]
    assert world.desk.books.ledger.web_restarts == 0


@pytest.mark.parametrize("role", ["pid1", "subreaper"])
def test_as_pid_1_it_leaves_at_webs_last_word_and_the_kernel_ends_the_rest(role: str) -> None:
    """As anybody else it stays until web is reaped: whoever adopted web would have to do that."""
    world = running(role=role)
    web = world.pid("web")
    world.end(world.pid(), 5)
    assert world.exits == []
    world.close_letterbox()
    assert world.exits == ([5] if role == "pid1" else [])
    world.end(web, 0)
    assert world.exits == [5]


def test_a_web_that_does_not_end_is_killed_after_half_a_second() -> None:
    world = running()
    web = world.pid("web")
    world.end(world.pid(), 5)
    world.advance(0.4)
    assert (web, KILL, True) not in world.signals
    world.advance(0.2)
    assert (web, KILL, True) in world.signals
    world.end(web, signal=KILL)
    assert world.exits == [5]


def test_web_is_spared_by_the_sweep_and_answers_until_then() -> None:
    world = left_behind()
    assert world.ask("ping")["ok"]
    assert world.said("bye") == []


def test_a_web_that_waits_to_be_started_is_not_waited_for() -> None:
    world = running("--sweep-timeout", "0")
    world.end(world.pid("web"), 1)
    world.end(world.pid(), 5)
    assert (world.exits, world.starts("web")) == ([5], 1)


def test_a_web_that_dies_while_sweeping_is_not_started_again() -> None:
    world = left_behind("--sweep-timeout", "5s")
    world.end(world.pid("web"), 1)
    assert world.exits == []
    world.advance(10)
    assert (world.starts("web"), world.exits) == (1, [5])


def test_timers_that_run_out_together_do_not_clash() -> None:
    """As after a container was frozen: the init's end and web's next start are due in the same turn."""
    world = running("--sweep-timeout", "0", "--drain", "1s")
    world.ask("main.stop")
    world.signal("TERM")
    world.end(world.pid(), 5)
    world.end(world.pid("web"), 1)
    world.leap(100)
    end_web(world)
    assert world.exits == [5]


def test_web_in_backoff_while_the_sweep_is_given_up_holds_nothing_up() -> None:
    world = running("--sweep-timeout", "0.2s")
    for _ in range(5):  # web's backoff is then longer than the sweep
        world.end(world.pid("web"), 1)
        world.advance(1.7)
    world.others.add(99)
    world.end(world.pid("web"), 1)
    world.end(world.pid(), 5)
    world.leap(0.3)
    world.leap(100)
    end_web(world)
    assert world.exits == [5]


def test_a_shutdown_stops_main_and_the_init_leaves_with_its_code() -> None:
    world = running("--restart", "always")
    operation = world.ask("shutdown")["operation"]
    assert (operation["action"], operation["state"]) == ("shutdown", "running")
    assert not world.ready
    main, web = world.pid(), world.pid("web")
    world.end(main, signal=TERM)
    assert world.said("operation")[-1]["operation"]["state"] == "done"
    world.end(web, 0)
    assert (world.exits, world.starts()) == ([143], 1)


def test_a_shutdown_has_a_deadline_for_a_main_that_will_not_end() -> None:
    world = running("--no-http", "--stop-timeout", "2s")
    world.ask("shutdown")
    world.advance(2.1)
    assert world.signals[-1] == (world.pid(), KILL, True)
    world.end(world.pid(), signal=KILL)
    assert world.exits == [137]


@pytest.mark.parametrize("policy", ["no", "always"])
def test_a_shutdown_of_a_stopped_main_is_done_at_once(policy: str) -> None:
    world = running("--no-http", "--restart", policy)
    world.ask("main.stop")
    world.end(world.pid(), 2)
    assert world.ask("shutdown")["operation"]["state"] == "done"
    assert world.exits == [2]


def test_a_stop_after_a_shutdown_does_not_keep_the_init() -> None:
    world = running("--no-http")
    world.ask("shutdown")
    world.ask("main.stop")
    world.end(world.pid(), 2)
    assert world.exits == [2]


def test_without_http_there_is_no_web_and_no_timer_while_main_runs() -> None:
    world = begin(prepare("--no-http"))
    assert (world.starts("web"), world.desk.books.deadline()) == (0, None)
