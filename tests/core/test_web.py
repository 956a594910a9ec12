"""webkeeper.py: beat and silence, a closed or full letterbox, restarts."""

from __future__ import annotations

import pytest

from initd.inputs import Dropped

from .driver import KILL, World, begin, missing, no_fork, prepare, running


def kills(world: World) -> list[tuple[int, int, bool]]:
    return [signal for signal in world.signals if signal[1] == KILL]


def live(world: World, seconds: float) -> None:
    """Time passes, and web answers every beat."""
    end = world.now + seconds
    while world.now < end:
        beats = len(world.said("beat"))
        world.advance(0.5)
        if len(world.said("beat")) > beats:
            world.say({"t": "beat"})


def test_web_is_greeted_before_anything_else() -> None:
    world = begin(prepare("--history", "7", "--allow-host", "Init.Example"))
    hello = world.sent[0]
    assert (hello["t"], hello["v"]) == ("hello", 1)
    assert hello["config"] == {
        "history": 7,
        "anonymous": "metrics",
        "tokens": [],
        "allow_hosts": ["init.example"],
        "http_user": "nobody",
        "certificates": [],
        "tls": None,
        "redact": True,
        "connects": False,
    }
    assert hello["listen"] == [{"fd": 5, "kind": "tcp", "address": "[::]:9911"}]
    assert hello["init"] == {"pid": 1, "uid": 0, "role": "pid1"}


def test_http_user_root_means_that_web_stays_who_it_is() -> None:
    hello = begin(prepare("--http-user", "root")).sent[0]
    assert hello["config"]["http_user"] is None


def test_events_are_sent_only_to_a_web_that_has_attached() -> None:
    world = begin(prepare())
    world.end(world.add_child("git").id.pid, 0)
    assert world.said("events") == []
    world.attach()
    world.end(world.add_child("git").id.pid, 0)
    assert [event["kind"] for event in world.said("events")[0]["events"]] == ["adopted", "reaped"]


def test_each_change_of_an_operation_is_told_once() -> None:
    world = running()
    world.ask("main.stop")
    world.end(world.pid(), 0)
    world.ask("ping")
    world.settle()
    assert [message["operation"]["state"] for message in world.said("operation")] == ["running", "done"]


def test_web_that_answers_lives() -> None:
    world = running()
    live(world, 300)
    assert (kills(world), world.starts("web")) == ([], 1)
    assert len(world.said("beat")) == 60


def test_web_that_falls_silent_is_killed_and_replaced_within_kubelets_patience() -> None:
    world = running()
    live(world, 60)
    pid = world.pid("web")
    world.advance(9.9)
    assert kills(world) == []
    world.advance(10.2)
    assert kills(world)[0] == (pid, KILL, True)
    world.end(pid, signal=KILL)
    world.advance(0.2)
    assert world.starts("web") == 2
    assert (world.state, world.exits, world.starts()) == ("running", [], 1)
    assert world.desk.books.ledger.web_restarts == 1


def test_any_word_of_web_is_a_sign_of_life() -> None:
    world = running()
    live(world, 60)
    for _ in range(30):
        world.advance(2)
        world.ask("ping")
    assert kills(world) == []


def test_a_web_that_never_attaches_has_time_to_import_and_is_then_replaced() -> None:
    world = begin(prepare())
    world.advance(29.9)
    assert kills(world) == []
    world.advance(6)
    assert kills(world)


def test_a_web_that_survives_the_kill_is_killed_again() -> None:
    world = running()
    world.close_letterbox()
    world.advance(3.1)
    assert len(kills(world)) == 3


def test_a_closed_letterbox_gives_web_a_moment_to_leave_by_itself() -> None:
    world = running()
    world.close_letterbox()
    world.advance(0.5)
    world.end(world.pid("web"), 0)
    world.advance(5)
    assert (kills(world), world.starts("web")) == ([], 2)


def test_a_crashing_web_is_back_after_a_tenth_of_a_second_and_at_the_worst_after_two() -> None:
    world = running()
    delays = []
    for _ in range(7):
        world.end(world.pid("web"), 1)
        died = world.now
        while not any(child.unit == "web" for child in world.children.values()):
            world.advance(0.01)
        delays.append(world.now - died)
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0], abs=0.015)
    assert (world.state, world.exits) == ("running", [])


def test_a_web_that_cannot_be_started_is_tried_again_and_main_never_feels_it() -> None:
    world = running()
    world.failing["web"] = [missing("web"), no_fork("web")]
    world.end(world.pid("web"), 1)
    world.advance(5)
    assert (world.starts("web"), world.starts(), world.exits) == (2, 1, [])
    assert [event["unit"] for event in world.history("fork.failed")] == ["web"]


def test_what_a_dead_web_was_not_told_is_in_the_history_of_the_next() -> None:
    world = running()
    world.end(world.pid("web"), 1)
    world.end(world.add_child("git").id.pid, 0)
    world.advance(1)
    world.attach()
    kinds = [event["kind"] for event in world.ask("history", after=0)["events"]]
    assert kinds == [
        "main.started", "web.started", "reaped", "web.exited", "adopted", "reaped", "web.started",
    ]  # fmt: skip


def test_dropped_events_are_counted_and_web_is_told_that_it_lags() -> None:
    world = running()
    world.full = True
    world.end(world.add_child("git").id.pid, 0)
    assert world.desk.books.ledger.events_dropped == 2
    world.full = False
    world.advance(0.25)
    assert world.said("lag") == [{"t": "lag", "seq": world.desk.books.history.last}]
    world.advance(3)
    assert len(world.said("lag")) == 1


def test_a_lag_that_finds_no_room_is_told_later() -> None:
    world = running()
    world.full = True
    world.end(world.add_child("git").id.pid, 0)
    world.advance(2)
    world.full = False
    world.advance(0.25)
    assert len(world.said("lag")) == 1


def test_a_web_that_reads_no_events_is_told_of_no_lag() -> None:
    world = begin(prepare())
    world.feed(Dropped(3))
    world.advance(1)
    assert world.desk.books.ledger.events_dropped == 3
    assert world.said("lag") == []


def test_a_web_that_was_frozen_with_us_is_not_blamed_for_its_silence() -> None:
    world = running()
    world.leap(600.0)
    assert world.signals == []
    world.advance(20.0)
    assert (world.pid("web"), 9, True) in world.signals


def test_a_beat_goes_with_the_slow_tick_and_costs_no_wake_up_of_its_own() -> None:
    world = running()
    world.advance(0.9)
    for _ in range(30):
        looks, beats = world.looks, len(world.said("beat"))
        world.desk.books.cancel("spare")  # nobody limits pids: asked again each ten seconds
        world.now = world.desk.books.deadline() or 0.0
        world.tick()
        world.say({"t": "beat"})
        assert world.looks > looks, "every wake-up is a tick"
    assert len(world.said("beat")) > beats > 3
