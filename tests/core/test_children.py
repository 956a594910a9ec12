"""children.py: ownership first; an adoption is counted exactly once, alive or at its reap."""

from __future__ import annotations

import pytest

from initd.inputs import BatchReaped, ChildEnded, OrphansReaped
from initd.model import ExitStatus, ProcessId

from .driver import World, begin, prepare, running


def adoptions(world: World) -> dict[str, int]:
    return dict(world.desk.books.ledger.adoptions)


def reaped(world: World) -> dict[str, int]:
    return {label: times for label, times in world.desk.books.ledger.reaped.items() if times}


def test_an_orphan_that_ends_with_mains_old_pid_is_adopted_and_stops_nothing() -> None:
    world = running("--restart", "always")
    old = world.pid()
    world.end(old, 1)
    world.advance(1)
    new = world.pid()
    world.add_child("orphan", pid=old)
    world.end(old, 9)
    assert world.state == "running"
    assert world.pid() == new
    assert world.exits == []
    assert adoptions(world) == {"alive": 0, "dead": 1}
    assert reaped(world) == {"main/exited": 1, "adopted/exited": 1}
    assert world.desk.books.main.last_exit is not None
    assert world.desk.books.main.last_exit.code == 1


def test_an_orphan_with_mains_old_pid_is_no_end_of_a_stopped_main() -> None:
    world = running()
    old = world.pid()
    world.ask("main.stop")
    world.end(old, 3)
    world.add_child("orphan", pid=old)
    world.end(old, 9)
    assert (world.state, world.exits) == ("stopped", [])
    assert reaped(world)["adopted/exited"] == 1


def test_a_stranger_met_alive_is_counted_once_and_not_again_at_its_end() -> None:
    world = running()
    stranger = world.add_child("git")
    world.advance(3.5)
    assert adoptions(world) == {"alive": 1, "dead": 0}
    world.end(stranger.id.pid, 0)
    world.advance(3.5)
    assert adoptions(world) == {"alive": 1, "dead": 0}
    assert [event["seen"] for event in world.history("adopted")] == ["alive"]
    assert world.desk.books.ledger.adopted == {}


def test_a_stranger_first_met_dead_is_counted_at_its_reap() -> None:
    world = running()
    pid = world.add_child("git").id.pid
    world.end(pid, 0)
    assert adoptions(world) == {"alive": 0, "dead": 1}
    assert [event["kind"] for event in world.history()][-2:] == ["adopted", "reaped"]


def test_a_zombie_in_a_listing_is_left_to_its_reap() -> None:
    world = running()
    zombie = world.add_child("git", zombie=True)
    world.advance(1.5)
    assert adoptions(world) == {"alive": 0, "dead": 0}
    world.end(zombie.id.pid, 0)
    assert adoptions(world) == {"alive": 0, "dead": 1}


def test_a_reused_pid_is_another_stranger() -> None:
    world = running()
    first = world.add_child("git")
    world.advance(1.5)
    world.end(first.id.pid, 0)
    world.add_child("git", pid=first.id.pid)
    world.advance(1.5)
    assert adoptions(world) == {"alive": 2, "dead": 0}


def test_main_and_web_are_never_adopted() -> None:
    world = running()
    world.advance(20)
    assert world.looks >= 5
    assert adoptions(world) == {"alive": 0, "dead": 0}


def test_each_death_is_counted_under_whose_child_it_was_and_how_it_ended() -> None:
    world = running("--restart", "always")
    world.end(world.add_child("one").id.pid, 0)
    world.end(world.add_child("two").id.pid, signal=9)
    world.end(world.pid("web"), signal=11)
    world.end(world.pid(), 4)
    assert reaped(world) == {
        "adopted/exited": 1,
        "adopted/signaled": 1,
        "web/signaled": 1,
        "main/exited": 1,
    }


def test_a_reap_tells_all_that_is_known() -> None:
    world = running()
    stranger = world.add_child("git")
    world.now += 2.5
    world.end(stranger.id.pid, signal=15)
    event = world.history("reaped")[0]
    assert event["process"] == {"id": str(stranger.id), "pid": stranger.id.pid, "name": "git"}
    assert (event["code"], event["signal"], event["origin"]) == (None, "TERM", "adopted")
    assert (event["lifetime_seconds"], event["cpu_seconds"], event["max_resident_bytes"]) == (2.5, 0.25, 4096)


def test_mains_own_end_says_code_and_core_dump() -> None:
    world = running()
    world.end(world.pid(), 7)
    event = world.history("main.exited")[0]
    assert (event["code"], event["signal"], event["core_dumped"]) == (7, None, False)


def test_an_end_that_nobody_looked_at_is_that_of_whom_we_know_by_the_pid() -> None:
    world = running("--restart", "always")
    main, web, stranger = world.pid(), world.pid("web"), world.add_child("git").id.pid
    known = [world.children.pop(pid).id for pid in (main, web)]
    world.now += 2.5
    for pid in (main, web, stranger):
        world.feed(ChildEnded(ProcessId(pid, 0), None, ExitStatus(3, None), None, 0.5, 4096))
    assert [event["process"] for event in world.history("reaped")] == [
        {"id": str(known[0]), "pid": main, "name": "server"},
        {"id": str(known[1]), "pid": web, "name": "initd-web"},
        {"id": f"{stranger}-0", "pid": stranger, "name": None},
    ]
    assert [world.history("reaped")[0][key] for key in ("cpu_seconds", "lifetime_seconds")] == [0.5, 2.5]


def test_ours_are_all_whose_origin_is_not_adopted() -> None:
    world = running("--health-exec", "true")
    stranger = world.add_child("git").id.pid
    books = world.desk.books
    world.advance(20)
    books.former_mains.add(77)
    books.spare = 78
    assert books.ours() == {pid for pid in (*range(1, 100),) if books.origin(pid) != "adopted"}
    assert stranger not in books.ours()
    books.spare = 0
    assert 0 not in books.ours()


def test_the_lifetime_of_adopted_children_is_observed() -> None:
    world = running()
    stranger = world.add_child("git")
    world.now += 0.5
    world.end(stranger.id.pid, 0)
    histogram = world.desk.books.ledger.adopted_lifetime
    assert (sum(histogram.counts), histogram.sum) == (1, 0.5)


def test_in_a_storm_one_event_stands_for_all_of_a_tenth_of_a_second() -> None:
    world = running()
    for first in range(100, 400, 100):
        world.feed(OrphansReaped(tuple(range(first, first + 50)), 2))
    assert (world.history("reaped"), reaped(world)["adopted/exited"]) == ([], 144)
    world.advance(0.11)
    (event,) = world.history("reaped")
    assert [event[key] for key in ("count", "exited", "signaled")] == [150, 144, 6]
    assert event["process"]["pid"] == 349
    world.advance(5)
    assert len(world.history("reaped")) == 1


@pytest.mark.parametrize("what", ["state", "history", "end"])
def test_whoever_reads_the_numbers_finds_them_in_the_history_and_so_does_the_end(what: str) -> None:
    world = running()
    world.feed(OrphansReaped((100, 101), 0))
    if what == "end":
        world.end(world.pid(), 0)
    else:
        world.ask(what, **({"after": 0} if what == "history" else {}))
    assert world.history("reaped")[0]["count"] == 2


def times_of_looks(world: World, seconds: float) -> list[float]:
    """When we looked by ourselves meanwhile, in seconds from now; web answers its beats."""
    found, began = [], world.now
    while world.now < began + seconds:
        looks = world.looks
        world.advance(0.5)
        world.say({"t": "beat"})
        if world.looks > looks:
            found.append(world.now - began)
    return found


def test_the_quieter_it_is_the_less_often_we_look_and_web_has_us_look_meanwhile() -> None:
    world = running()
    world.advance(0)
    assert times_of_looks(world, 20) == [2, 6, 11, 16]
    world.add_child("orphan")
    world.say({"t": "look"})
    assert adoptions(world) == {"alive": 1, "dead": 0}
    assert times_of_looks(world, 10) == [1, 3, 7]


@pytest.mark.parametrize("storm", [False, True])
def test_an_orphan_that_ended_has_us_look_again_within_a_second(storm: bool) -> None:
    world = running()
    world.advance(0)
    times_of_looks(world, 12)
    if storm:
        world.feed(OrphansReaped((77, 78), 0))
    else:
        world.end(world.add_child("git").id.pid, 0)
    assert times_of_looks(world, 4) == [1, 3]


def test_we_look_each_second_where_web_does_not_or_orphans_are_to_end() -> None:
    unseen = begin(prepare())
    unseen.advance(0)
    unseen.advance(10)
    assert unseen.looks == 11
    strict = running("--kill-orphans")
    strict.advance(0)
    assert times_of_looks(strict, 10) == list(range(1, 11))


def test_a_storm_of_exits_does_not_list_children_for_each_batch() -> None:
    world = running()
    world.now += 0.5
    before = world.looks
    for _ in range(50):
        world.now += 0.001
        world.feed(BatchReaped(1, 0.001))
    assert 1 <= world.looks - before <= 2
    assert sum(world.desk.books.ledger.reap_batch.counts) == 50


def test_without_http_nobody_is_listed_and_the_dead_are_counted_all_the_same() -> None:
    world = running("--no-http")
    world.add_child("git")
    world.advance(5)
    assert world.looks == 0
    world.end(world.last_pid, 0)
    assert adoptions(world) == {"alive": 0, "dead": 1}


@pytest.mark.parametrize(("options", "lines"), [((), 0), (("-w",), 1)])
def test_warn_on_reap_says_every_orphan(options: tuple[str, ...], lines: int) -> None:
    world = running(*options)
    pid = world.add_child("git").id.pid
    world.end(pid, 3)
    found = [text for level, text in world.logs if level == "warning"]
    assert found == [f"reaped orphan git (pid {pid}): exit code 3"] * lines
