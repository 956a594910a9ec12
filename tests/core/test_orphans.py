"""initd.orphans and the wait for them at the end."""

from __future__ import annotations

from initd.books import Init
from initd.effects import Look
from initd.inputs import Notified
from initd.model import ProcessId
from tests.core.driver import World, running


def daemon(world: World, name: str = "daemon") -> int:
    """An orphan that we have met."""
    process = world.add_child(name)
    world.perform([Look()])
    return process.id.pid


def test_by_default_the_end_of_main_is_the_end() -> None:
    world = running()
    orphan = daemon(world)
    world.end(world.pid(), 0)
    assert (orphan, 15, False) in world.signals or world.desk.books.phase == "sweeping"


def test_wait_orphans_ends_only_when_adopted_daemons_are_gone_too_with_mains_code() -> None:
    world = running("--wait-orphans")
    orphan = daemon(world)
    world.end(world.pid(), 7)
    world.advance(3600.0)
    assert (world.desk.books.phase, world.exits) == ("waiting", [])
    assert not world.ask("ping")["checks"][1]["ok"]
    world.end(orphan, 0)
    world.end(world.pid("web"), 0)
    assert world.exits == [7]


def test_wait_orphans_has_an_end_where_one_is_given() -> None:
    world = running("--wait-orphans=5s")
    daemon(world)
    world.end(world.pid(), 0)
    world.advance(4.9)
    assert world.desk.books.phase == "waiting"
    world.advance(0.1)
    assert world.desk.books.phase == "sweeping"


def test_without_orphans_there_is_nothing_to_wait_for() -> None:
    world = running("--wait-orphans")
    world.end(world.pid(), 0)
    assert world.desk.books.phase != "waiting"


def test_a_stop_signal_while_waiting_is_for_the_orphans() -> None:
    world = running("--wait-orphans")
    daemon(world)
    world.end(world.pid(), 0)
    world.signal("TERM")
    assert world.desk.books.phase == "sweeping"


def test_signal_orphans_forwards_to_those_that_are_there_now() -> None:
    world = running("--signal-orphans")
    met = daemon(world)
    fresh = world.add_child("fresh").id.pid
    world.signal("HUP")
    assert sorted(world.signals) == sorted([(world.pid(), 1, False), (met, 1, False), (fresh, 1, False)])
    assert world.desk.books.ledger.signals["HUP/orphan"] == 2


def test_without_the_option_orphans_get_nothing() -> None:
    world = running()
    daemon(world)
    world.signal("HUP")
    assert world.signals == [(world.pid(), 1, False)]


def test_kill_orphans_sends_term_and_kills_what_is_still_there() -> None:
    world = running("--kill-orphans", "--stop-timeout", "3s")
    obedient, stubborn = daemon(world), daemon(world)
    assert world.signals == [(obedient, 15, False), (stubborn, 15, False)]
    assert [event["source"] for event in world.history("signal.sent")] == ["orphan", "orphan"]
    world.end(obedient, signal=15)
    world.advance(2.9)
    assert len(world.signals) == 2
    world.advance(0.2)
    assert world.signals[2:] == [(stubborn, 9, False)]
    world.advance(5.0)
    assert len(world.signals) == 3


def test_kill_orphans_leaves_alone_what_was_there_before_us() -> None:
    world = running("--kill-orphans")
    books = world.desk.books
    number = world.last_pid + 1
    present = frozenset({ProcessId(number, number * 10)})
    books.init = Init(1, 0, "pid1", books.init.started, books.init.listeners, present)
    daemon(world, "there before")
    orphan = daemon(world)
    assert world.signals == [(orphan, 15, False)]
    assert books.ledger.adopted_total == 2


def test_kill_orphans_spares_whom_main_named_to_follow_it() -> None:
    world = running("--notify", "--kill-orphans", "--stop-timeout", "3s")
    heir = world.add_child("server").id
    world.feed(Notified({"MAINPID": heir.pid, "READY": True}, heir))
    assert world.ask("state")["status"]["main"]["pid"] == heir.pid
    late = daemon(world)
    late_id = world.children[late].id
    assert world.signals == [(late, 15, False)]
    world.feed(Notified({"MAINPID": late}, late_id))
    world.advance(5.0)
    assert world.signals == [(late, 15, False)]


def test_signal_orphans_sends_to_a_main_that_was_adopted_only_once() -> None:
    world = running("--notify", "--signal-orphans")
    heir = world.add_child("server").id
    world.feed(Notified({"MAINPID": heir.pid, "READY": True}, heir))
    world.signal("HUP")
    assert world.signals == [(heir.pid, 1, False)]


def test_while_orphans_are_waited_for_web_is_there_and_looked_after() -> None:
    world = running("--wait-orphans")
    orphan = daemon(world)
    world.end(world.pid(), 7)
    world.end(world.pid("web"), 1)
    world.advance(5.0)
    assert world.runs("web")
    assert world.ask("state")["status"]["web"]["restarts"] == 1
    assert "look" in world.desk.books.timers
    world.end(orphan, 0)
    assert "look" not in world.desk.books.timers
    world.end(world.pid("web"), 0)
    assert (world.runs("web"), world.exits) == (False, [7])
