"""lineage.py: a former parent is what was seen, or what can be inferred, or nothing with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from initd.inputs import Elder
from initd.lineage import MOST_FAMILIES, MOST_NAMES, MOST_PARENTS, Lineage, Origin
from initd.model import ProcessId
from initd.wire import LIMIT

ORPHAN = ProcessId(50, 500)
WORKER = {"id": "40-400", "pid": 40, "name": "worker", "cmdline": "worker --all"}


def seen(lineage: Lineage, parent: dict[str, Any], *children: ProcessId, fresh: bool = False) -> None:
    lineage.seen([(parent, list(children))], [], fresh=fresh)


def test_who_was_seen_with_its_parent_was_adopted_from_it() -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ORPHAN)
    assert lineage.adopted(ORPHAN, ()) == Origin(WORKER, "seen", None)


def test_what_was_seen_of_a_pid_is_not_true_of_the_next_process_with_it() -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ORPHAN)
    origin = lineage.adopted(ProcessId(50, 501), ())
    assert (origin.parent, origin.how) == (None, None)


def test_what_was_seen_counts_more_than_what_can_be_inferred() -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ORPHAN)
    assert lineage.adopted(ORPHAN, (Elder(45, 450, "leader"),)).parent == WORKER


def test_the_leader_of_its_group_is_inferred_where_it_has_ended() -> None:
    origin = Lineage().adopted(ORPHAN, (Elder(45, 450, "sh"),))
    assert origin == Origin({"id": "45-450", "pid": 45, "name": "sh", "cmdline": None}, "inferred", None)


def test_of_a_leader_that_was_reaped_only_the_number_is_left() -> None:
    origin = Lineage().adopted(ORPHAN, (Elder(45),))
    assert origin.parent == {"id": None, "pid": 45, "name": None, "cmdline": None}


def test_a_leader_that_web_had_seen_as_a_parent_has_its_name() -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ProcessId(49, 490))
    origin = lineage.adopted(ORPHAN, (Elder(40),))
    assert (origin.parent, origin.how) == (WORKER, "inferred")


def test_a_leader_that_started_later_is_nobodys_parent() -> None:
    origin = Lineage().adopted(ORPHAN, (Elder(45, 501, "late"), Elder(46, 460, "early")))
    assert origin.parent is not None
    assert origin.parent["name"] == "early"


@pytest.mark.parametrize(("looked", "why"), [(False, "nobody looked"), (True, "came and went")])
def test_what_is_unknown_says_why(looked: bool, why: str) -> None:
    lineage = Lineage()
    if looked:
        lineage.seen([], [], fresh=True)
    origin = lineage.adopted(ORPHAN, ())
    assert (origin.parent, origin.how) == (None, None)
    assert why in str(origin.why)


@pytest.mark.parametrize("met", [False, True])
def test_what_an_old_web_saw_is_true_until_all_orphans_have_been_met(met: bool) -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ORPHAN)
    seen(lineage, {**WORKER, "name": "other"}, ProcessId(60, 600), fresh=True)
    if met:
        lineage.looked()
    assert lineage.adopted(ORPHAN, ()).how == (None if met else "seen")


def test_who_has_gone_is_forgotten() -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ORPHAN)
    lineage.seen([], [50, 51], fresh=False)
    assert lineage.adopted(ORPHAN, ()).how is None


def test_a_parent_that_became_another_program_is_known_by_the_new_name() -> None:
    lineage = Lineage()
    seen(lineage, WORKER, ORPHAN)
    seen(lineage, {**WORKER, "name": "nginx"}, ORPHAN)
    assert (lineage.adopted(ORPHAN, ()).parent or {})["name"] == "nginx"


def test_the_summary_counts_orphans_by_their_parents_name() -> None:
    lineage = Lineage()
    for number in range(3):
        parent = {**WORKER, "pid": 40 + number % 2, "id": f"{40 + number % 2}-400"}
        child = ProcessId(50 + number, 500)
        seen(lineage, parent, child)
        lineage.adopted(child, ())
    lineage.adopted(ProcessId(90, 900), (Elder(80, 800, "cron"),))
    lineage.adopted(ProcessId(91, 910), ())
    for pid, seconds in ((50, 1.0), (51, 5.0), (91, None)):
        lineage.ended(pid, seconds)
    answer = lineage.summary()
    workers, cron = answer["former_parents"]
    assert workers == {
        "name": "worker",
        "cmdline": "worker --all",
        "last": {"id": "40-400", "pid": 40},
        "parents": 2,
        "orphans": 3,
        "alive": 1,
        "dead": 2,
        "median_lifetime_seconds": 5.0,
        "how": {"seen": 3, "inferred": 0},
    }
    assert (cron["name"], cron["how"], cron["median_lifetime_seconds"]) == (
        "cron",
        {"seen": 0, "inferred": 1},
        None,
    )
    assert answer["unknown"] == {"orphans": 1, "alive": 0, "dead": 1, "median_lifetime_seconds": None}


def test_the_median_is_that_of_the_lifetimes_that_are_known() -> None:
    lineage = Lineage()
    for pid, seconds in enumerate([9.0, None, 1.0, 2.0], 10):
        lineage.adopted(ProcessId(pid, 1), (Elder(5, 1, "sh"),))
        lineage.ended(pid, seconds)
    assert lineage.summary()["former_parents"][0]["median_lifetime_seconds"] == 2.0


def test_the_summary_fits_into_one_datagram_whatever_the_names_are() -> None:
    lineage = Lineage()
    for pid in range(10, 3 * MOST_NAMES):
        name = "\U0001f525" * 12 + f"{pid:03}"
        parent = {"id": f"{pid}-1", "pid": pid, "name": name, "cmdline": "\U0001f525" * 400}
        seen(lineage, parent, ProcessId(pid + 1000, 2))
        lineage.adopted(ProcessId(pid + 1000, 2), ())
        lineage.took({"id": f"{pid}-1", "pid": pid, "name": name})
    answer = lineage.summary()
    assert len(json.dumps(answer)) < LIMIT - 1000
    assert answer["former_parents"][0]["name"] == "(others)"


def test_what_is_remembered_is_bounded() -> None:
    lineage = Lineage()
    children = [ProcessId(pid, 1) for pid in range(MOST_FAMILIES + 10)]
    seen(lineage, WORKER, *children)
    assert lineage.adopted(children[MOST_FAMILIES - 1], ()).how == "seen"
    assert lineage.adopted(children[MOST_FAMILIES], ()).how is None


def test_what_an_enemy_says_of_ever_new_parents_is_forgotten_again() -> None:
    lineage = Lineage()
    for pid in range(MOST_PARENTS + 10):
        parent = {"id": f"{pid}-1", "pid": pid, "name": "x", "cmdline": None}
        seen(lineage, parent, ProcessId(100_000 + pid, 2))
    assert lineage.adopted(ProcessId(100_000, 2), ()).how is None
    assert lineage.adopted(ProcessId(100_000 + MOST_PARENTS, 2), ()).how == "seen"


def test_parents_of_one_name_are_counted_without_being_remembered() -> None:
    lineage = Lineage()
    for number in range(10_000):
        parent = {**WORKER, "pid": 40 + number, "id": f"{40 + number}-400"}
        for child in (ProcessId(2 * number, 500), ProcessId(2 * number + 1, 500)):
            seen(lineage, parent, child)
            lineage.adopted(child, ())
            lineage.ended(child.pid, 1.0)
    (group,) = lineage.summary()["former_parents"]
    assert (group["parents"], group["orphans"]) == (10_000, 20_000)


def test_a_summary_that_does_not_fit_says_how_much_was_left_out() -> None:
    lineage = Lineage()
    for pid in range(10, 190):
        seen(
            lineage, {**WORKER, "pid": pid, "id": f"{pid}-1", "name": f"n{pid}", "cmdline": "y" * 200}, ORPHAN
        )
        lineage.adopted(ORPHAN, ())
    answer = lineage.summary()
    assert answer["left_out"] > 0
    assert len(answer["former_parents"]) + answer["left_out"] == 180
