"""web.former: whose children the living orphans were."""

from __future__ import annotations

from typing import Any

from web.former import MOST, Former
from web.mirror import Mirror

WORKER = {"id": "40-4", "pid": 40, "name": "worker", "cmdline": "worker -x"}


def adopted(pid: int, **more: Any) -> dict[str, Any]:
    return {"kind": "adopted", "process": {"id": f"{pid}-1", "pid": pid, "name": "git"}, **more}


def test_an_orphan_s_former_parent_is_known_until_it_is_reaped() -> None:
    former = Former()
    former.take(adopted(42, former_parent=WORKER, how="seen"))
    assert former.of("42-1") == WORKER
    assert former.of("42-2") is None
    assert former.of("42-1", 7) is None, "its parent is another one now"
    former.take({"kind": "reaped", "process": {"id": "42-1", "pid": 42, "name": "git"}})
    assert former.of("42-1") is None


def test_what_is_not_known_or_has_another_form_is_passed_over() -> None:
    former = Former()
    for event in (adopted(42, former_parent=None), adopted(42), {"kind": "adopted"}, {"kind": "drain"}):
        former.take(event)
    former.take({"kind": "adopted", "process": 7, "former_parent": WORKER})
    assert former.of("42-1") is None


def test_of_more_than_can_be_kept_the_oldest_is_forgotten() -> None:
    former = Former()
    for pid in range(MOST + 1):
        former.take(adopted(pid, former_parent={"pid": 1, "name": "old core"}))
    assert former.of("0-1") is None
    assert former.of(f"{MOST}-1") == {"id": None, "pid": 1, "name": "old core", "cmdline": None}


def test_the_mirror_learns_it_from_events_and_from_the_history_alike() -> None:
    mirror = Mirror(10)
    mirror.fill(0, [{"seq": 1, **adopted(42, former_parent=WORKER)}], 1)
    mirror.take([{"seq": 2, **adopted(43, former_parent=WORKER)}])
    assert mirror.former.of("42-1") == mirror.former.of("43-1") == WORKER


def test_an_orphan_that_somebody_else_took_has_its_former_parent_while_it_is_with_that_one() -> None:
    former = Former()
    former.take(
        {"kind": "reparented", "process": {"id": "42-1"}, "former_parent": WORKER, "new_parent": {"pid": 9}}
    )
    assert [former.of("42-1", parent) for parent in (9, 8, None)] == [WORKER, None, None]
