"""web.mirror: whatever is dropped on the way, the history shows the truth or says what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.mirror import OPERATIONS, Mirror


def event(seq: int, kind: str = "adopted") -> dict[str, Any]:
    return {"seq": seq, "at": f"t{seq}", "kind": kind}


def events(first: int, last: int) -> list[dict[str, Any]]:
    return [event(seq) for seq in range(first, last + 1)]


def read(mirror: Mirror, after: int, *kinds: str, limit: int | None = None) -> list[dict[str, Any]]:
    return [json.loads(entry.data) for entry in mirror.after(after, kinds, limit)[0]]


def seqs(found: list[dict[str, Any]]) -> list[int]:
    return [one["seq"] for one in found]


def test_events_are_kept_in_order_and_once() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 3))
    mirror.take(events(2, 4))
    assert read(mirror, 0) == events(1, 4)
    assert not mirror.behind


def test_an_event_out_of_order_waits_for_the_history() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 2))
    mirror.take(events(5, 6))
    assert (mirror.last, mirror.newest, mirror.behind) == (2, 6, True)
    assert read(mirror, 0) == events(1, 2)
    mirror.fill(2, events(3, 4), 6)
    assert mirror.behind
    mirror.fill(4, events(5, 6), 6)
    assert not mirror.behind
    assert read(mirror, 0) == events(1, 6)


def test_what_the_core_no_longer_keeps_is_a_gap_with_numbers_and_the_time_of_the_next() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 2))
    mirror.heard(9)
    mirror.fill(2, events(7, 9), 9)
    gap = {"seq": 6, "at": "t7", "kind": "gap", "missed": 4, "first": 3, "last": 6}
    assert read(mirror, 0) == [*events(1, 2), gap, *events(7, 9)]


def test_an_event_that_the_history_never_brings_is_a_gap_and_not_asked_for_for_ever() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 2))
    mirror.heard(3)
    mirror.fill(2, [], 3)
    assert not mirror.behind
    assert read(mirror, 0)[2:] == [{"seq": 3, "at": None, "kind": "gap", "missed": 1, "first": 3, "last": 3}]


def test_an_empty_answer_to_an_old_question_loses_nothing() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 4))
    mirror.fill(2, [], 3)
    assert (mirror.last, seqs(read(mirror, 0))) == (4, [1, 2, 3, 4])


def test_an_answer_that_live_events_have_overtaken_adds_nothing_twice() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 5))
    mirror.fill(0, events(1, 3), 20)
    assert seqs(read(mirror, 0)) == [1, 2, 3, 4, 5]
    assert mirror.behind


def test_a_reader_from_before_the_ring_is_told_what_it_missed() -> None:
    mirror = Mirror(3)
    mirror.take(events(1, 8))
    found = read(mirror, 2)
    assert found[0] == {"seq": 5, "at": "t6", "kind": "gap", "missed": 3, "first": 3, "last": 5}
    assert seqs(found[1:]) == [6, 7, 8]


def test_a_reader_of_the_latest_gets_no_gap_for_what_it_never_asked_for() -> None:
    mirror = Mirror(3)
    mirror.take(events(1, 8))
    assert [entry.seq for entry in mirror.latest((), 2)[0]] == [7, 8]
    assert [entry.seq for entry in mirror.latest((), 9)[0]] == [6, 7, 8]
    assert mirror.latest((), 9)[1] == 8


def test_kinds_choose_events_but_never_hide_a_gap() -> None:
    mirror = Mirror(4)
    mirror.take([event(1), event(2, "reaped"), event(3), event(4, "reaped"), event(5)])
    assert [one["kind"] for one in read(mirror, 0, "reaped")] == ["gap", "reaped", "reaped"]


@pytest.mark.parametrize(("limit", "following"), [(1, 1), (2, 2), (3, 3), (4, 3), (None, 3)])
def test_a_limit_cuts_and_says_where_to_go_on(limit: int | None, following: int) -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 3))
    found, after = mirror.after(0, (), limit)
    assert after == following
    assert len(found) == min(limit or 3, 3)


def test_with_kinds_a_page_goes_on_after_what_was_looked_at() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 5))
    assert mirror.after(0, ("reaped",), 2) == ([], 5)


def test_who_has_a_number_from_another_life_gets_all_of_ours() -> None:
    mirror = Mirror(3)
    mirror.take(events(1, 3))
    assert read(mirror, 99) == events(1, 3)
    assert read(mirror, 3) == []
    assert mirror.after(99, ("reaped",)) == ([], 3)
    assert mirror.after(99, (), 2)[1] == 2
    mirror.take(events(4, 5))
    assert [one["kind"] for one in read(mirror, 99)] == ["gap", "adopted", "adopted", "adopted"]


def test_a_number_that_the_core_is_known_to_have_is_of_our_life_though_we_do_not_know_its_event_yet() -> None:
    mirror = Mirror(10)
    mirror.take(events(1, 2))
    mirror.heard(5)
    assert mirror.after(4, ()) == ([], 4)


def test_whoever_watches_is_woken_until_it_leaves() -> None:
    mirror = Mirror(10)
    calls: list[int] = []
    with mirror.watched(lambda: calls.append(mirror.last)):
        mirror.take(events(1, 2))
        mirror.operation({"id": 1, "state": "running"})
    mirror.take(events(3, 3))
    assert calls == [2, 2]


def test_operations_are_kept_by_number_and_bounded() -> None:
    mirror = Mirror(1)
    for number in range(OPERATIONS + 5):
        mirror.operation({"id": number, "state": "running"})
    mirror.operation({"id": OPERATIONS, "state": "done"})
    assert len(mirror.operations) == OPERATIONS
    assert mirror.operations[OPERATIONS]["state"] == "done"
    assert 4 not in mirror.operations


@pytest.mark.parametrize("odd", [{}, {"seq": "1", "kind": "x"}, {"seq": 1, "kind": 2}, {"seq": 1}])
def test_what_is_no_event_raises_and_changes_nothing(odd: dict[str, Any]) -> None:
    mirror = Mirror(10)
    with pytest.raises((KeyError, TypeError)):
        mirror.take([odd])
    assert (mirror.last, mirror.newest) == (0, 0)


class Core:
    """A history that keeps ``kept`` events and answers with ``batch`` at a time; some never fit."""

    def __init__(self, kept: int, batch: int, unsendable: frozenset[int]) -> None:
        self.kept, self.batch, self.unsendable = kept, batch, unsendable
        self.last = 0

    def history(self, after: int) -> list[dict[str, Any]]:
        first = max(after, self.last - self.kept) + 1
        found = [event(seq) for seq in range(first, self.last + 1) if seq not in self.unsendable]
        return found[: self.batch]


@given(
    st.integers(1, 8),
    st.integers(1, 4),
    st.frozensets(st.integers(1, 40), max_size=3),
    st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), max_size=15),
    st.integers(1, 50),
)
def test_under_any_loss_each_number_is_shown_once_as_its_event_or_within_a_gap(
    kept: int, batch: int, unsendable: frozenset[int], steps: list[tuple[int, bool, bool]], history: int
) -> None:
    core, mirror = Core(kept, batch, unsendable), Mirror(history)
    for count, arrives, asks in steps:
        first = core.last + 1
        core.last += count
        if arrives:
            mirror.take(one for one in events(first, core.last) if one["seq"] not in unsendable)
        if asks:
            mirror.fill(mirror.last, core.history(mirror.last), core.last)
    mirror.heard(core.last)
    for _ in range(core.last + 1):
        if mirror.behind:
            mirror.fill(mirror.last, core.history(mirror.last), core.last)
    assert not mirror.behind
    _complete(read(mirror, 0), core.last)
    assert {one["seq"] for one in read(mirror, 0)} >= {
        seq for seq in range(core.last - min(kept, history) + 1, core.last + 1) if seq > 0
    } - unsendable


def _complete(found: list[dict[str, Any]], last: int) -> None:
    expected = 1
    for one in found:
        if one["kind"] == "gap":
            assert (one["first"], one["missed"]) == (expected, one["last"] - one["first"] + 1)
        else:
            assert one == event(expected)
        expected = one["seq"] + 1
    assert expected == last + 1
