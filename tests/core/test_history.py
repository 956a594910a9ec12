"""history.py: gapless numbers, the newest kept, each told once."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd.history import History
from initd.model import EVENT_KINDS

from .driver import QUICK


def filled(size: int, count: int, *, pending: bool = False) -> History:
    history = History(size)
    for _ in range(count):
        history.add("adopted", 0.0, {}, pending=pending)
    return history


def seqs(history: History, after: int) -> list[int]:
    return [json.loads(event)["seq"] for event in history.after(after)]


def test_an_event_says_number_time_and_kind_first_and_then_its_own() -> None:
    history = History(5)
    history.add("reaped", 1.5, {"code": 3, "process": {"pid": 4}}, pending=False)
    (event,) = history.after(0)
    assert event == (
        b'{"seq":1,"at":"1970-01-01T00:00:01.500Z","kind":"reaped","code":3,"process":{"pid":4}}'
    )


def test_before_the_first_event_there_is_nothing() -> None:
    history = History(5)
    assert (history.last, history.first, seqs(history, 0)) == (0, 1, [])
    assert history.counts == dict.fromkeys(EVENT_KINDS, 0)


@QUICK
@given(st.integers(1, 20), st.integers(0, 60), st.integers(0, 80))
def test_whoever_asks_gets_the_kept_ones_after_a_number(size: int, count: int, after: int) -> None:
    history = filled(size, count)
    assert (history.last, history.first) == (count, max(1, count - size + 1))
    assert seqs(history, after) == list(range(max(after + 1, history.first), count + 1))


def test_what_is_pending_is_taken_once_and_in_order() -> None:
    history = filled(2, 5, pending=True)
    assert [json.loads(event)["seq"] for event in history.take_pending()] == [1, 2, 3, 4, 5]
    assert history.take_pending() == []


def test_what_happened_while_nobody_listened_is_not_pending_but_kept() -> None:
    history = filled(9, 2, pending=False)
    history.add("status", 0.0, {}, pending=True)
    assert len(history.take_pending()) == 1
    assert seqs(history, 0) == [1, 2, 3]


def test_kinds_are_counted_beyond_what_is_kept() -> None:
    history = filled(2, 5)
    history.add("drain", 0.0, {}, pending=False)
    assert {kind: times for kind, times in history.counts.items() if times} == {"adopted": 5, "drain": 1}


def test_a_kind_outside_the_closed_list_is_an_error() -> None:
    with pytest.raises(KeyError):
        History(2).add("party", 0.0, {}, pending=False)


def test_of_long_events_fewer_are_kept_so_that_pid_1_stays_small() -> None:
    history = History(200)
    for _ in range(200):
        history.add("reparented", 0.0, {"process": {"name": "x" * 5_000}}, pending=False)
    kept = list(history.after(0))
    assert 0 < sum(map(len, kept)) <= 200 * 600
    assert (history.last, history.first) == (200, 201 - len(kept))


def test_the_newest_event_is_kept_however_small_the_history_is() -> None:
    history = History(1)
    history.add("status", 0.0, {"text": "x" * 4_000}, pending=False)
    assert seqs(history, 0) == [1]
