"""web.crowd: an address pays for what it does with its own connections and turns, not with others'."""

from __future__ import annotations

import asyncio
import time

import pytest

from web import crowd, limits
from web.crowd import Crowd


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only where somebody takes it."""
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)


class Guest:
    """A connection that does nothing but take its turn, which takes a while."""

    def __init__(self, address: str, *, idle: bool = True, costs: float = 0.0) -> None:
        self.address = address
        self.idle = idle
        self.costs = costs
        self.left = False
        self.turns: list[str] = []

    def take_turn(self) -> None:
        now = time.perf_counter() + self.costs
        time.perf_counter = lambda: now
        self.turns.append(self.address)

    def leave(self) -> None:
        self.left = True


def come(crowd: Crowd, *guests: Guest) -> list[Guest]:
    for guest in guests:
        crowd.come(guest)
    return list(guests)


def left(guests: list[Guest]) -> list[int]:
    return [number for number, guest in enumerate(guests) if guest.left]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    monkeypatch.setattr(limits, "CONNECTIONS", 4)
    return Crowd()


# --- who makes room -------------------------------------------------------------------------------


def test_as_many_as_there_may_be_stay(few: Crowd) -> None:
    assert left(come(few, *(Guest("a") for _ in range(4)))) == []


def test_the_address_with_most_connections_makes_room(few: Crowd) -> None:
    guests = come(few, Guest("quiet"), Guest("loud"), Guest("loud"), Guest("loud"), Guest("new"))
    assert left(guests) == [1]


def test_a_newcomer_of_the_largest_address_stays_in_place_of_the_longest_idle(few: Crowd) -> None:
    assert left(come(few, *(Guest("a") for _ in range(6)))) == [0, 1]


def test_who_was_answered_last_is_the_last_to_go(few: Crowd) -> None:
    guests = come(few, *(Guest("a") for _ in range(4)))
    few.answered(guests[0])
    come(few, *(Guest("a") for _ in range(3)))
    assert left(guests) == [1, 2, 3]
    come(few, Guest("a"))
    assert left(guests) == [0, 1, 2, 3]


def test_where_all_have_one_the_address_that_was_answered_longest_ago_makes_room(few: Crowd) -> None:
    guests = come(few, *(Guest(address) for address in "abcd"))
    few.answered(guests[0])
    come(few, Guest("e"))
    assert left(guests) == [1]


def test_idle_ones_go_before_those_that_are_answered(few: Crowd) -> None:
    guests = [Guest("a", idle=False), Guest("a", idle=False), Guest("a"), Guest("a"), Guest("a")]
    assert left(come(few, *guests)) == [2]


def test_where_the_largest_is_all_busy_its_newest_goes_and_nobody_else(few: Crowd) -> None:
    busy = [Guest("loud", idle=False) for _ in range(3)]
    assert left(come(few, Guest("quiet"), *busy, Guest("quiet too"))) == [3]


def test_where_everyone_is_busy_the_newest_is_turned_away(few: Crowd) -> None:
    assert left(come(few, *(Guest(address, idle=False) for address in "abcde"))) == [4]


def test_who_has_gone_is_counted_no_more_however_often_it_goes(few: Crowd) -> None:
    guests = come(few, *(Guest("a") for _ in range(4)))
    few.go(guests[0])
    few.go(guests[0])
    few.answered(guests[0])
    assert left(come(few, Guest("a"))) == []
    assert left(come(few, guests[1])) == []
    come(few, Guest("b"))
    assert left(guests) == [1]


# --- whose turn it is -----------------------------------------------------------------------------


def served(*guests: Guest) -> list[str]:
    """The addresses in the order in which they were served, when all wait at once."""
    order: list[str] = []

    async def serve() -> None:
        line = Crowd()
        for guest in guests:
            guest.turns = order
            line.wait(guest)
        async with asyncio.timeout(10):
            while len(order) < len(guests):  # noqa: ASYNC110  turns of the loop are what is counted
                await asyncio.sleep(0)

    asyncio.run(serve())
    return order


def some(count: int, address: str, costs: float) -> list[Guest]:
    return [Guest(address, costs=costs) for _ in range(count)]


def test_everybody_gets_a_turn() -> None:
    assert sorted(served(*(Guest(address) for address in "abbc"))) == ["a", "b", "b", "c"]


def test_who_has_cost_more_waits_behind_those_who_have_cost_little() -> None:
    order = served(*some(5, "dear", 0.05), *some(20, "cheap", 0.0))
    assert order == ["dear"] + ["cheap"] * 20 + ["dear"] * 4


def test_an_address_gets_no_more_turns_for_having_more_connections() -> None:
    order = served(*some(40, "many", 0.002), *some(4, "few", 0.002))
    assert order[:12].count("few") == 4


def test_a_turn_of_the_loop_ends_when_it_has_taken_long_enough() -> None:
    guests = [Guest("a", costs=crowd.TURN) for _ in range(3)]

    async def serve() -> None:
        line = Crowd()
        for guest in guests:
            line.wait(guest)
        await asyncio.sleep(0)
        assert sum(len(guest.turns) for guest in guests) == 1

    asyncio.run(serve())


def test_a_turn_that_fails_does_not_end_the_turns_of_others() -> None:
    class Broken(Guest):
        def take_turn(self) -> None:
            raise RuntimeError("broken")

    async def serve() -> None:
        complaints: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        line, other = Crowd(), Guest("b")
        line.wait(Broken("a"))
        line.wait(other)
        for _ in range(3):
            await asyncio.sleep(0)
        assert other.turns == ["b"]
        assert len(complaints) == 1

    asyncio.run(serve())


def test_what_no_reading_takes_is_held_against_nobody() -> None:
    """A pause of the process that falls into somebody's turn would else cost him dozens of the next."""
    order = served(Guest("victim", costs=1.0), *some(8, "loud", crowd.TURN / 2), Guest("victim"))
    assert order.index("victim", 1) < 5


def test_who_was_here_before_waits_for_newcomers_no_longer_than_for_those_who_stay() -> None:
    """Else a siege of fifty would make kubelet wait fifty times as long as all its past probes took."""
    past = some(50, "kubelet", crowd.TURN)
    siege = [Guest(str(number % 50), costs=crowd.TURN) for number in range(500)]

    async def serve() -> list[str]:
        line, order = Crowd(), list[str]()
        for guests in (past, [*siege, Guest("kubelet")]):
            for guest in guests:
                guest.turns = order
                line.wait(guest)
            while line._waiting:  # noqa: ASYNC110, SLF001  turns of the loop are what is counted
                await asyncio.sleep(0)
        return order[len(past) :]

    assert asyncio.run(serve()).index("kubelet") <= 50


def test_who_comes_seldom_is_first() -> None:
    async def serve() -> int:
        line, order = Crowd(), list[str]()

        async def come(guest: Guest, turns: int) -> None:
            guest.turns = order
            line.wait(guest)
            while len(order) < turns:  # noqa: ASYNC110  turns of the loop are what is counted
                await asyncio.sleep(0)

        await come(Guest("kubelet", costs=crowd.TURN), 1)
        for number in range(500):
            await come(Guest(str(number % 50), costs=crowd.TURN), 0)
        await come(Guest("new"), 300)
        order.clear()
        await come(Guest("kubelet"), 50)
        return order.index("kubelet")

    assert asyncio.run(serve()) <= 1


def test_of_thousands_who_never_come_again_nothing_is_kept() -> None:
    async def serve() -> Crowd:
        line = Crowd()
        for number in range(10_000):
            line.wait(Guest(str(number)))
            await asyncio.sleep(0)
        return line

    assert len(asyncio.run(serve())._stand) <= 2 * limits.CONNECTIONS + 1  # noqa: SLF001
