"""initd.proctable: who is above whom, and who is believed; and what a flood of notes may cost."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from initd import loop, proctable, syscalls
from initd.procfs import Stat

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN, WORKER, ORPHAN, ITS_CHILD, STRANGER, ITS_ORPHAN = 10, 11, 20, 21, 30, 31
ADOPTED = {ORPHAN: 0, ITS_ORPHAN: 0}
PARENTS = {1: 0, MAIN: 1, WORKER: MAIN, ORPHAN: 1, ITS_CHILD: ORPHAN, STRANGER: 0, ITS_ORPHAN: 1}
SERVER, SOMEBODY = 33, 1000  # main's user, and another


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A /proc with these processes; the pids that were looked at."""
    looked: list[int] = []

    def stat_of(pid: int) -> Stat | None:
        looked.append(pid)
        parent = PARENTS.get(pid)
        return Stat(pid, "x", "S", parent, 0, 0, 0, 0, 0, 1, 0, 0, 0) if parent is not None else None

    monkeypatch.setattr(proctable, "stat_of", stat_of)
    monkeypatch.setattr(syscalls, "all_pids", lambda: list(range(1, 5_000)))
    monkeypatch.setattr(syscalls, "owner", {MAIN: SERVER}.__getitem__)
    return looked


@pytest.mark.parametrize(
    ("pid", "uid", "believed"),
    [
        (MAIN, SOMEBODY, True),
        (WORKER, SOMEBODY, True),  # as nginx has them
        (ORPHAN, SERVER, True),
        (ORPHAN, 0, True),
        (ORPHAN, os.getuid(), True),
        (ORPHAN, SOMEBODY, False),
        (ITS_CHILD, SERVER, True),
        (ITS_CHILD, SOMEBODY, False),
        (ITS_ORPHAN, SOMEBODY, False),
        (STRANGER, 0, False),
        (1, 0, False),
        (0, 0, False),
        (999, 0, False),
    ],
)
@pytest.mark.usefixtures("reads")
def test_main_is_spoken_for_by_its_own_and_by_orphans_of_its_user(pid: int, uid: int, believed: bool) -> None:
    assert proctable.speaks_for_main(pid, uid, MAIN, ADOPTED) is believed
    assert not proctable.speaks_for_main(pid, uid, None, ADOPTED)


@pytest.mark.usefixtures("reads")
def test_where_main_cannot_be_looked_at_its_user_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: int) -> int:
        raise FileNotFoundError

    monkeypatch.setattr(syscalls, "owner", gone)
    assert not proctable.speaks_for_main(ORPHAN, SOMEBODY, MAIN, ADOPTED)


def test_a_sender_costs_one_look_for_each_that_is_above_it(reads: list[int]) -> None:
    assert not proctable.speaks_for_main(STRANGER, 0, MAIN, ADOPTED)
    assert reads == [STRANGER]
    reads.clear()
    assert proctable.root_of(ITS_CHILD, MAIN, ADOPTED) == ORPHAN
    assert reads == [ITS_CHILD]


def test_the_way_up_ends_in_a_circle_too(reads: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    for pid, parent in ((50, 51), (51, 50)):
        monkeypatch.setitem(PARENTS, pid, parent)
    assert not proctable.speaks_for_main(50, 0, MAIN, ADOPTED)
    assert len(reads) == 500


class Flood:
    """A notify box that never gets empty, but for the test's sake."""

    fd = 7

    def __init__(self) -> None:
        self.given = 0

    def read(self) -> Iterator[tuple[bytes, int, int]]:
        while self.given < 1_000_000:
            self.given += 1
            yield b"STATUS=x", STRANGER, SOMEBODY


@pytest.mark.usefixtures("reads")
def test_a_flood_of_notes_gets_its_share_of_a_turn_and_no_more() -> None:
    flood = Flood()
    world = SimpleNamespace(box=flood, speaker=SimpleNamespace(say=lambda *_: None))
    books = SimpleNamespace(main=SimpleNamespace(process=None), ledger=SimpleNamespace(adopted={}))
    made = loop.Loop.__new__(loop.Loop)
    made.__dict__.update(world=world, core=SimpleNamespace(books=books))
    made._read_notes([flood.fd])  # noqa: SLF001  because a whole loop would need a whole world
    assert 0 < flood.given < 1_000_000
