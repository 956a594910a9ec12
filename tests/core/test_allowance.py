"""allowance.py: so many at once, so many a second, and fewer for whoever does not stop asking."""

from __future__ import annotations

import pytest

from initd.allowance import Allowance


def granted(allowance: Allowance, seconds: float, a_second: int) -> int:
    """How many of so many a second it grants, from 1,000 s on."""
    return sum(allowance.take(1_000 + n / a_second) for n in range(int(seconds * a_second)))


def test_what_is_not_taken_fills_it_up_but_not_beyond_its_size() -> None:
    allowance = Allowance(5, 10)
    assert [allowance.take(1_000.0) for _ in range(6)] == [True] * 5 + [False]
    assert [allowance.take(1_000.1) for _ in range(2)] == [True, False]
    assert [allowance.take(2_000.0) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("a_second", "fine", "least", "most"),
    [
        (50, 0, 1_000, 1_000),  # it suffices
        (50, 20, 1_000, 1_000),
        (5_000, 0, 2_195, 2_205),  # 200 at once, and 100 a second
        (5_000, 20, 290, 310),  # 200 at once, and then one in 0.21 s
    ],
)
def test_who_asks_for_more_than_there_is_gets_less_where_that_is_fined(
    a_second: int, fine: int, least: int, most: int
) -> None:
    assert least <= granted(Allowance(200, 100, fine), 20, a_second) <= most


def test_after_a_fine_it_is_whole_again_once_nobody_asks() -> None:
    allowance = Allowance(200, 100, 20)
    granted(allowance, 5, 5_000)
    assert sum(allowance.take(2_000.0) for _ in range(300)) == 200
