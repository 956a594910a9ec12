"""sparekeeper.py: a process is kept in hand for web where pids are limited, and only there."""

from __future__ import annotations

from initd.model import WEB

from .driver import SPARE, World, no_fork, running


def limited(*options: str) -> World:
    """Pids are limited, there is room, and a spare was parked."""
    world = running(*options)
    world.limited = world.room = True
    world.advance(10)
    assert world.runs(SPARE)
    return world


def spare_of(world: World) -> int | None:
    spare: int | None = world.ask("state")["status"]["web"]["spare"]
    return spare


def test_one_is_parked_where_pids_are_limited_and_told_in_the_status() -> None:
    world = limited()
    assert spare_of(world) == world.pid(SPARE)
    world.advance(60)
    assert sum(child.unit == SPARE for child in world.children.values()) == 1


def test_where_pids_are_not_limited_there_is_none() -> None:
    world = running()
    world.room = True
    world.advance(60)
    assert not world.runs(SPARE)
    assert spare_of(world) is None


def test_without_http_nobody_needs_one() -> None:
    world = running("--no-http")
    world.limited = world.room = True
    world.advance(60)
    assert not world.runs(SPARE)


def test_one_that_was_killed_is_replaced_and_is_no_orphan() -> None:
    world = limited()
    world.end(world.pid(SPARE), signal=9)
    world.advance(1)
    assert world.runs(SPARE)
    assert world.desk.books.ledger.adopted_total == 0
    (reaped,) = world.history("reaped")
    assert reaped["origin"] == "web"


def test_the_spare_that_became_web_is_web_and_another_one_is_parked_when_there_is_room() -> None:
    world = limited()
    world.room = False
    spare = world.pid(SPARE)
    world.failing[WEB] = [no_fork(WEB)]
    world.end(world.pid(WEB), signal=9)
    world.advance(0.1)
    assert world.pid(WEB) == spare
    assert spare_of(world) is None
    assert not world.history("fork.failed")
    world.advance(5)
    assert not world.runs(SPARE)
    world.room = True
    world.advance(1)
    assert world.runs(SPARE)


def test_when_we_leave_it_is_let_go_and_not_swept() -> None:
    world = limited()
    spare = world.pid(SPARE)
    world.signal("TERM")
    world.end(world.pid(), 0)
    assert world.dismissed
    assert spare not in [pid for pid, _, _ in world.signals]
    world.end(spare, 0)
    world.advance(3)
    assert not world.runs(SPARE)


def test_a_web_that_lacks_nothing_but_a_process_is_tried_again_when_something_was_reaped() -> None:
    """Said once, however often it is tried."""
    world = running()
    web = world.pid(WEB)
    world.failing[WEB] = [no_fork(WEB)] * 3
    world.end(web, signal=9)
    world.advance(0.1)
    tries = len(world.failing[WEB])
    for _ in range(2):
        world.end(world.add_child("orphan").id.pid)
        world.tick()
    assert len(world.failing[WEB]) == tries - 2 == 0
    world.end(world.add_child("orphan").id.pid)
    world.tick()
    assert world.runs(WEB)
    assert len(world.history("fork.failed")) == 1
    assert len([text for _, text in world.logs if "cannot start web" in text]) == 1
