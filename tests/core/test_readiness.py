"""initd.readiness: what main says of itself, and its silence."""

from __future__ import annotations

from initd import notify
from initd.inputs import Notified, Ticked
from initd.model import ProcessId
from tests.core.driver import Process, World, failing, running


def tell(world: World, *lines: str) -> None:
    world.feed(Notified(notify.parse("\n".join(lines).encode())))


def test_with_notify_main_is_ready_when_it_says_so_and_not_before() -> None:
    world = running("--notify")
    assert (failing(world), failing(world, "startup")) == (["notify"], ["started"])
    world.advance(3.0)
    tell(world, "READY=1")
    assert (failing(world), failing(world, "startup")) == ([], [])
    assert world.history("main.ready")[0]["after_seconds"] == 3.0
    tell(world, "READY=1")
    assert len(world.history("main.ready")) == 1


def test_a_new_main_has_to_say_so_again_but_startup_stays_passed() -> None:
    world = running("--notify", "--restart", "always")
    tell(world, "READY=1")
    world.end(world.pid(), 1)
    world.advance(5.0)
    assert world.state == "running"
    assert (failing(world), failing(world, "startup")) == (["notify"], [])


def test_status_reloading_and_stopping_are_told_on() -> None:
    world = running("--notify")
    tell(world, "READY=1", "STATUS=serving")
    assert world.ask("state")["status"]["main"]["status_text"] == "serving"
    tell(world, "RELOADING=1")
    assert (world.ask("state")["status"]["main"]["reloading"], failing(world)) == (True, [])
    tell(world, "READY=1")
    assert world.ask("state")["status"]["main"]["reloading"] is False
    tell(world, "STOPPING=1")
    assert failing(world) == ["notify"]
    assert [event["text"] for event in world.history("status")] == ["serving", "serving", "serving"]


def test_a_status_that_says_nothing_new_is_no_event() -> None:
    world = running("--notify")
    for _ in range(5_000):
        tell(world, "STATUS=still working")
    tell(world, "RELOADING=1")
    tell(world, "RELOADING=1", "STATUS=still working")
    assert [event["reloading"] for event in world.history("status")] == [False, True]


def test_a_status_that_changes_all_the_time_is_current_and_leaves_the_history_its_room() -> None:
    world = running("--notify")
    for number in range(5_000):
        tell(world, f"STATUS={number}")
    assert world.ask("state")["status"]["main"]["status_text"] == "4999"
    assert len(world.history("status")) == 20
    tell(world, "STOPPING=1")
    last = world.history("status")[-1]
    assert (last["text"], last["stopping"], last["skipped"]) == ("4999", True, 4_980)
    world.advance(10.0)
    for number in range(5_000):
        tell(world, f"STATUS={number}")
    assert len(world.history("status")) == 41
    assert "skipped" not in world.history("status")[-1]


def test_a_watchdog_begins_with_ready_and_a_missed_one_restarts_main_under_every_policy() -> None:
    world = running("--notify", "--watchdog", "2s")
    world.advance(3.0)
    assert world.signals == []
    tell(world, "READY=1")
    for _ in range(3):
        world.advance(1.5)
        tell(world, "WATCHDOG=1")
    assert world.signals == []
    main = world.pid()
    world.advance(2.0)
    assert world.signals == [(main, 6, False)]
    assert (world.state, failing(world)[-1]) == ("restarting", "watchdog")
    assert world.history("check.failed")[0]["check"] == "watchdog"
    world.end(main, signal=6)
    assert world.state == "running"
    assert world.desk.books.ledger.main_restarts["watchdog"] == 1
    assert failing(world) == ["notify"]


def test_main_may_take_its_watchdog_away_once_it_runs() -> None:
    world = running("--notify", "--watchdog", "2s")
    tell(world, "READY=1")
    world.advance(1.0)
    tell(world, "WATCHDOG_USEC=0")
    world.advance(8.0)
    assert (world.state, world.signals) == ("running", [])
    tell(world, "WATCHDOG_USEC=1000000")
    world.advance(1.0)
    assert world.state == "restarting"


def test_a_paused_container_costs_main_no_deadline() -> None:
    world = running("--notify", "--watchdog", "2s", "--stop-timeout", "3s")
    tell(world, "READY=1")
    world.advance(0.5)
    world.now += 10.0
    world.feed(Ticked(missed=9.0))  # of the ten seconds we slept one
    world.tick()
    assert (world.state, world.signals) == ("running", [])
    tell(world, "WATCHDOG=1")
    world.ask("main.stop")
    main = world.pid()
    world.advance(1.0)
    world.now += 10.0
    world.feed(Ticked(missed=9.5))
    world.tick()
    assert [number for pid, number, _ in world.signals if pid == main] == [15]
    world.advance(2.0)
    assert [number for pid, number, _ in world.signals if pid == main] == [15, 9]


def test_without_notify_the_watchdog_begins_with_the_start() -> None:
    world = running("--watchdog", "2s")
    world.advance(2.0)
    assert world.signals == [(world.pid(), 6, False)]


def test_main_can_trigger_and_set_its_watchdog() -> None:
    world = running("--notify")
    tell(world, "READY=1", "WATCHDOG_USEC=500000")
    world.advance(0.4)
    assert world.signals == []
    world.advance(0.1)
    assert len(world.signals) == 1
    other = running("--notify")  # a trigger needs no watchdog; sd_notify(3)
    tell(other, "READY=1")
    tell(other, "WATCHDOG=trigger")
    assert other.signals == [(other.pid(), 6, False)]
    assert other.history("check.failed")[0]["why"] == "main triggered it"


def test_a_main_that_hangs_in_its_dump_is_killed_after_the_stop_timeout() -> None:
    world = running("--watchdog", "1s", "--stop-timeout", "3s")
    main = world.pid()
    world.advance(1.0)
    world.advance(3.0)
    assert world.signals == [(main, 6, False), (main, 9, True)]


def test_more_time_to_stop_is_given_but_never_less() -> None:
    world = running("--notify", "--stop-timeout", "2s")
    main = world.pid()
    world.ask("main.stop")
    world.advance(1.0)
    tell(world, "EXTEND_TIMEOUT_USEC=5000000")
    tell(world, "EXTEND_TIMEOUT_USEC=1")
    world.advance(4.9)
    assert (main, 9, True) not in world.signals
    world.advance(0.2)
    assert (main, 9, True) in world.signals


def test_a_stop_takes_the_watchdog_off() -> None:
    world = running("--watchdog", "1s")
    main = world.pid()
    world.ask("main.stop")
    world.end(main, 0)
    world.advance(5.0)
    assert (world.state, world.signals) == ("stopped", [(main, 15, False)])


def test_a_watchdog_missed_while_a_stop_is_held_back_stops_main_for_good() -> None:
    world = running("--watchdog", "1s", "--drain", "60s", "--restart", "always", "--no-http")
    main = world.pid()
    world.signal("TERM")
    world.advance(1.0)
    assert (world.state, world.signals) == ("stopping", [(main, 6, False)])
    world.end(main, signal=6)
    assert (world.exits, world.starts()) == ([134], 1)


def test_a_named_child_becomes_main_and_the_old_ones_end_is_not_the_end() -> None:
    world = running("--notify")
    old, new = world.pid(), world.add_child("server").id
    world.feed(Notified({"MAINPID": new.pid, "READY": True}, new))
    assert world.ask("state")["status"]["main"]["pid"] == new.pid
    world.end(old, 0)
    assert (world.state, failing(world)) == ("running", [])
    assert world.desk.books.ledger.adopted_total == 1
    world.signal("HUP")
    assert world.signals == [(new.pid, 1, False)]
    world.end(new.pid, 9)
    assert world.state == "stopped"
    assert world.desk.books.exit_code == 9
    assert world.desk.books.ledger.reaped["main/exited"] == 2


def test_a_named_grandchild_becomes_main_when_the_old_one_leaves_it_to_us() -> None:
    world = running("--notify")
    old = world.pid()
    heir = ProcessId(4_000, 40_000)
    world.feed(Notified({"MAINPID": heir.pid}, heir))
    assert world.ask("state")["status"]["main"]["pid"] == old
    world.children[heir.pid] = Process(heir, "server", "", False, world.now)
    world.end(old, 0)
    assert (world.state, world.ask("state")["status"]["main"]["pid"]) == ("running", heir.pid)


def test_a_named_process_that_is_gone_when_main_ends_changes_nothing() -> None:
    world = running("--notify")
    world.feed(Notified({"MAINPID": 4_000}, ProcessId(4_000, 40_000)))
    world.end(world.pid(), 5)
    assert (world.state, world.desk.books.exit_code) == ("stopped", 5)
