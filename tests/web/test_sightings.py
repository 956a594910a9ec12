"""web.sightings: one event for a culprit and scan, and none for what passes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from initd.procfs import Stat
from tests.web.rows import row, tree_of
from web.sightings import AGAIN, STAYED, Level, Zombies

BASE = [row(1, 0, "initd"), row(7, 1, "main"), row(8, 7, "worker")]


def look(memory: Zombies, at: float, *dead: Stat) -> list[dict[str, Any]]:
    return memory.take(at, tree_of(*BASE, *dead), dead)


def zombie(pid: int, parent: int = 7, name: str = "git") -> Stat:
    return row(pid, parent, name, "Z")


def test_a_zombie_is_found_when_it_stayed_and_gone_when_it_went_with_its_culprit() -> None:
    memory, dead = Zombies(), [zombie(20), zombie(21)]
    main = {"id": "7-7", "pid": 7, "name": "main"}
    git = {"id": "20-20", "pid": 20, "name": "git"}
    assert look(memory, 1, *dead) == []
    assert look(memory, 2, *dead) == [
        {"kind": "zombie.found", "process": git, "culprit": main, "count": 2, "total": 2}
    ]
    assert look(memory, 3, *dead) == []
    assert look(memory, 4) == [
        {"kind": "zombie.gone", "process": git, "culprit": main, "count": 2, "total": 0}
    ]
    assert look(memory, 5) == []


def test_one_that_a_parent_is_about_to_reap_is_not_news_however_often_we_look() -> None:
    memory = Zombies()
    assert look(memory, 1, zombie(20)) == []
    assert look(memory, 1 + STAYED / 2, zombie(20)) == []
    assert look(memory, 1 + STAYED * 2) == []


def test_each_culprit_has_its_own_event_and_its_own_total() -> None:
    memory = Zombies()
    look(memory, 1, zombie(20), zombie(30, 8), zombie(31, 8))
    found = look(memory, 2, zombie(20), zombie(30, 8), zombie(31, 8), zombie(21))
    assert [(e["culprit"]["pid"], e["count"], e["total"]) for e in found] == [(7, 1, 1), (8, 2, 2)]
    later = look(memory, 2 + AGAIN, zombie(20), zombie(21), zombie(31, 8))
    assert [(e["kind"], e["culprit"]["pid"], e["count"], e["total"]) for e in later] == [
        ("zombie.found", 7, 1, 2),
        ("zombie.gone", 8, 1, 1),
    ]


def test_a_culprit_that_goes_on_is_told_of_now_and_then_with_all_that_came_meanwhile() -> None:
    memory, told = Zombies(), []
    for at in range(1, 24):
        told += look(memory, at, *map(zombie, range(20, 20 + at)))
    assert [(e["kind"], e["count"], e["total"]) for e in told] == [
        ("zombie.found", 1, 1),
        ("zombie.found", 10, 11),
        ("zombie.found", 10, 21),
    ]


def test_a_zombie_that_goes_while_others_are_not_told_yet_does_not_end_the_leak() -> None:
    memory = Zombies()
    for at in range(1, 5):
        look(memory, at, *map(zombie, range(20, 20 + at)))
    (event,) = look(memory, 5, *map(zombie, range(21, 24)))
    assert (event["kind"], event["count"], event["total"]) == ("zombie.gone", 1, 3)


def test_an_old_culprit_does_not_hold_up_the_news_of_another() -> None:
    memory = Zombies()
    look(memory, 1, zombie(20))
    look(memory, 2, zombie(20), zombie(30, 8))
    (event,) = look(memory, 3, zombie(20), zombie(30, 8))
    assert event["culprit"]["pid"] == 8


def test_a_pid_that_another_zombie_has_now_is_another_zombie() -> None:
    memory = Zombies()
    for at in (1, 2):
        look(memory, at, row(20, 7, "git", "Z", starttime=50))
    assert [e["kind"] for e in look(memory, 3, row(20, 7, "git", "Z", starttime=60))] == ["zombie.gone"]


def test_a_zombie_whose_parent_is_not_to_be_seen_has_no_culprit() -> None:
    memory = Zombies()
    look(memory, 1, zombie(20, 444))
    (event,) = look(memory, 2, zombie(20, 444))
    assert event["culprit"] is None


@given(st.lists(st.sets(st.tuples(st.integers(20, 30), st.sampled_from([7, 8]))), max_size=12))
def test_the_total_is_at_least_what_was_found_less_what_is_gone(scans: list[set[tuple[int, int]]]) -> None:
    memory = Zombies()
    totals = {7: 0, 8: 0}
    for number, dead in enumerate(scans):
        for event in look(
            memory, float(number), *(zombie(pid, parent) for pid, parent in dict(dead).items())
        ):
            culprit = event["culprit"]["pid"]
            totals[culprit] += event["count"] * (1 if event["kind"] == "zombie.found" else -1)
    for at in (100.0, 101.0):
        for event in look(memory, at):
            totals[event["culprit"]["pid"]] -= event["count"]
            assert event["total"] == 0
    assert totals == {7: 0, 8: 0}


def test_a_level_between_the_two_marks_changes_nothing() -> None:
    level = Level()
    kinds = [[e["kind"] for e in level.take(n, 100)] for n in (10, 79, 80, 95, 75, 70, 69, 75, 79, 80)]
    assert kinds == [[], [], ["pids.high"], [], [], [], ["pids.normal"], [], [], ["pids.high"]]
    assert Level().take(90, 100) == [{"kind": "pids.high", "current": 90, "max": 100}]


def test_without_a_limit_nothing_is_high() -> None:
    assert Level().take(10**6, None) == []
    assert Level().take(None, 10) == []
