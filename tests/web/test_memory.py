"""web.memory: growth by the minute, from few samples and for few culprits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.memory import CULPRITS, SPACING, WINDOW, Memory, Trend, minutes_until_full


def trend(*values: int, spacing: float = SPACING) -> Trend:
    made = Trend()
    for number, value in enumerate(values):
        made.add(1_000 + number * spacing, value)
    return made


def test_one_sample_is_no_growth_and_two_close_ones_are_no_two() -> None:
    assert trend().per_minute() is None
    assert trend(5).per_minute() is None
    assert trend(5, 9, spacing=SPACING / 3).per_minute() is None
    assert trend(5, 9).per_minute() == 4 * 60 / SPACING


@given(st.integers(0, 50), st.integers(0, 1_000), st.integers(2, 200))
def test_a_steady_growth_is_found_to_the_letter(step: int, first: int, number: int) -> None:
    steady = trend(*(first + step * n for n in range(number)))
    assert steady.per_minute() == pytest.approx(step * 60 / SPACING, abs=0.01)


def test_only_the_last_five_minutes_count() -> None:
    samples = int(WINDOW / SPACING)
    assert trend(*range(0, 5_000, 50), *[5_000] * (samples + 2)).per_minute() == 0.0


def test_after_a_fall_growth_begins_anew() -> None:
    assert trend(*range(800, 1_000, 10), 10, 20, 30).per_minute() == 10 * 60 / SPACING


def test_looks_that_are_far_apart_still_give_a_rate() -> None:
    assert trend(1, 2, 3, spacing=WINDOW * 2).per_minute() == pytest.approx(60 / (WINDOW * 2), abs=0.01)


def test_minutes_are_told_only_where_there_is_growth_and_a_limit() -> None:
    assert minutes_until_full(900, 1_000, 20.0) == 5.0
    assert minutes_until_full(1_001, 1_000, 20.0) == 0
    for current, limit, growth in (
        (1, 9, None),
        (1, 9, 0.0),
        (1, 9, -2.0),
        (1, None, 2.0),
        (None, 9, 2.0),
    ):
        assert minutes_until_full(current, limit, growth) is None


def test_culprits_are_remembered_one_by_one_and_forgotten_when_they_are_none() -> None:
    memory = Memory()
    for number in range(4):
        memory.add(number * SPACING, 10 + number, {"7-1": 5 * number, "8-1": 3})
    assert memory.pids_growth() == 60 / SPACING
    assert memory.culprit_growth("7-1") == 5 * 60 / SPACING
    assert memory.culprit_growth("8-1") == 0
    memory.add(99, None, {"7-1": 20})
    assert memory.culprit_growth("8-1") is None


def test_however_many_culprits_there_are_those_with_most_zombies_are_remembered() -> None:
    memory = Memory()
    many = {f"{pid}-1": pid for pid in range(CULPRITS * 3)}
    memory.add(0, 1, many)
    memory.add(SPACING, 1, many)
    assert sum(memory.culprit_growth(key) is not None for key in many) == CULPRITS
    assert memory.culprit_growth(f"{CULPRITS * 3 - 1}-1") == 0
