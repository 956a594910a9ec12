"""Waiting on behalf of a client: long polls, and the event stream (server-sent events, WHATWG HTML 9.2).

Law of this file: nothing here waits without a limit, and nobody is waited for. A reader that is slow reads
from the mirror's ring when it can, and is told by a gap what it missed; one that does not read at all is
cut off by web/connection.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web import limits
from web.answer import NO_STORE
from web.house import House
from web.mirror import Entry
from web.problem import Problem

HEARTBEAT = 15.0  # proxies close what is silent for 30 or 60 s
SPARING = 1.0  # seconds: a reader of some kinds is told no more often how many of the others passed
BATCH = 100  # events in one write: about 30 kB

T = TypeVar("T")


@contextmanager
def place(house: House) -> Iterator[None]:
    """One of the places for those who wait. Raises Problem("overloaded") when all are taken."""
    if house.streams >= limits.STREAMS:
        raise Problem(
            "overloaded",
            f"cannot open another stream: {limits.STREAMS} are open; try later",
            {"Retry-After": "5"},
        )
    house.streams += 1
    try:
        yield
    finally:
        house.streams -= 1


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass  # what is left of the body


async def until(house: House, receive: Receive, seconds: float, ready: Callable[[], T | None]) -> T | None:
    """What ``ready`` gives as soon as it is not None; None after ``seconds`` or when web ends.

    Raises ClientDisconnect as soon as nobody waits for it any more.
    """
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    departure = loop.create_task(_departure(receive))
    departure.add_done_callback(lambda _: changed.set())
    deadline = loop.time() + seconds
    try:
        with house.mirror.watched(changed.set):
            while (found := ready()) is None and not house.closing:
                if departure.done():
                    raise ClientDisconnect
                changed.clear()
                async with asyncio.timeout_at(deadline):
                    await changed.wait()
            return found
    except TimeoutError:
        return ready()
    finally:
        departure.cancel()


class EventStream(Response):
    """Events after ``position`` as they happen, until the client leaves or web ends.

    A client comes back with the last id it was told. So it is told one, without an event (9.2.6), also when
    events passed that it did not ask for: else they would be its gap, once the history has moved on.
    """

    media_type = "text/event-stream"

    def __init__(self, house: House, position: int, kinds: frozenset[str]) -> None:
        self._house = house
        self._position = position
        self._told = -1  # the id that the client has; none yet
        self._kinds = kinds
        self.status_code = 200
        self.background = None
        self.init_headers({**NO_STORE, "X-Accel-Buffering": "no"})

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        with place(self._house):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send(_piece(b"retry: 2000\n\n"))
            try:
                while not self._house.closing:
                    frames = await until(self._house, receive, SPARING, self._events)
                    frames = frames or await until(self._house, receive, HEARTBEAT - SPARING, self._next)
                    if frames or not self._house.closing:
                        await send(_piece(frames or b": still here\n\n"))
            except ClientDisconnect:
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _events(self) -> bytes | None:
        found, self._position = self._house.mirror.after(self._position, self._kinds, BATCH)
        if not found:
            return None
        self._told = found[-1].seq
        return b"".join(map(_frame, found))

    def _next(self) -> bytes | None:
        """Events, or else just where we are, where the client does not know."""
        frames = self._events()
        if frames or self._told == self._position:
            return frames
        self._told = self._position
        return b"id: %d\n\n" % self._told


def _piece(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _frame(entry: Entry) -> bytes:
    return b"id: %d\ndata: %s\n\n" % (entry.seq, entry.data)


def ensure_place(house: House) -> None:
    """Raises now what ``place`` would raise, while the answer can still be a problem."""
    with place(house):
        pass
