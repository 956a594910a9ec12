"""One piece of work for all who ask for it at the same time.

Law of this file: nobody gets what was begun before he asked, and nothing is kept. A thousand who ask at once
cost as much as two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Batch(Generic[T]):
    """Work by its key: for each, one that is under way, and one that begins when that has ended."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of the next ``work`` for ``key``; who leaves does not end it for the others."""
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = asyncio.create_task(self._run(key, work))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _run(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        if before := self._running.get(key):
            await asyncio.wait([before])
        self._running[key] = self._next.pop(key)
        try:
            return await work()
        finally:
            del self._running[key]
