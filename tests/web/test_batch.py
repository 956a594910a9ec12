"""web.batch: who asks at once shares, and nobody gets what was begun before he asked."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from web.batch import Batch


class Works:
    """Work that ends when it is let go; its outcome is its number."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        await self.gate.wait()
        return number


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_who_asks_at_once_shares_one_and_who_asks_later_shares_the_next() -> None:
    async def test() -> None:
        batch, work = Batch[int](), Works()
        first = [asyncio.create_task(batch.join("a", work)) for _ in range(10)]
        await turns()
        later = [asyncio.create_task(batch.join("a", work)) for _ in range(10)]
        await turns()
        assert work.begun == 1
        work.gate.set()
        assert await asyncio.gather(*first, *later) == [1] * 10 + [2] * 10
        assert await batch.join("a", work) == 3

    asyncio.run(test())


def test_different_things_are_not_shared_and_do_not_wait_for_each_other() -> None:
    async def test() -> None:
        batch, stuck, quick = Batch[int](), Works(), Works()
        quick.gate.set()
        waiting = asyncio.create_task(batch.join("a", stuck))
        await turns()
        assert await batch.join("b", quick) == 1
        stuck.gate.set()
        await waiting

    asyncio.run(test())


def test_who_leaves_does_not_end_it_for_the_others() -> None:
    async def test() -> None:
        batch, work = Batch[int](), Works()
        leaver, stayer = (asyncio.create_task(batch.join("a", work)) for _ in range(2))
        await turns()
        leaver.cancel()
        work.gate.set()
        with contextlib.suppress(asyncio.CancelledError):
            await leaver
        assert await stayer == 1

    asyncio.run(test())


def test_an_error_is_everyones_and_the_next_one_begins_anew() -> None:
    async def fails() -> int:
        raise RuntimeError("broken")

    async def test() -> None:
        batch, work = Batch[int](), Works()
        work.gate.set()
        both = await asyncio.gather(batch.join("a", fails), batch.join("a", fails), return_exceptions=True)
        assert [type(each) for each in both] == [RuntimeError, RuntimeError]
        with pytest.raises(RuntimeError):
            await batch.join("a", fails)
        assert await batch.join("a", work) == 1

    asyncio.run(test())
