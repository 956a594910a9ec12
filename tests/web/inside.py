"""The server within the test's own event loop, so that tests may shorten its limits; the core is a fake."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from tests.web.fake_core import FakeCore, fake_core
from web import app, server
from web.house import Config, House
from web.link import Link, read_hello
from web.memory import Memory
from web.mirror import Mirror
from web.sampler import Sampler

PATIENCE = 10.0


class Inside(NamedTuple):
    """A server on a port, its house, and the core behind it."""

    core: FakeCore
    house: House
    port: int
    ending: asyncio.Event
    done: asyncio.Task[None]


class Client:
    """A bare HTTP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def get(self, target: str, *headers: str) -> None:
        lines = [f"GET {target} HTTP/1.1", "Host: localhost", *headers, "", ""]
        self.send("\r\n".join(lines).encode())

    async def until(self, text: bytes) -> bytes:
        """Read up to and with ``text``."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readuntil(text)

    async def rest(self) -> bytes:
        """All that comes until the server ends the connection."""
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                return await self.reader.read()
        return b""

    async def answer(self) -> tuple[int, bytes]:
        """One answer with a length: its status and body."""
        head = await self.until(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        async with asyncio.timeout(PATIENCE):
            return int(head.split()[1]), await self.reader.readexactly(length)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until ``condition`` is true, with patience."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  it may be anything of the server's
            await asyncio.sleep(0.002)


async def connect(inside: Inside, tls: ssl.SSLContext | None = None) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", inside.port, ssl=tls))


@contextlib.asynccontextmanager
async def _serving(
    core: FakeCore, listener: socket.socket, tls: ssl.SSLContext | None
) -> AsyncIterator[Inside]:
    config = Config.of(read_hello(core.web_side))
    ending, mirror = asyncio.Event(), Mirror(config.history)
    sampler = Sampler()
    link = Link(core.web_side, mirror, ending.set, ending.set)
    house = House(config, link, mirror, sampler, Memory())
    sampler.start()
    serving = server.make(app.make(house), house, ending, tls)
    link.attach()
    done = asyncio.create_task(serving.serve(sockets=[listener]))
    await eventually(lambda: serving.started)
    try:
        yield Inside(core, house, listener.getsockname()[1], ending, done)
    finally:
        ending.set()
        await done
        link.close()
        sampler.stop()


def inside(
    test: Callable[[Inside], Awaitable[None]], secure: ssl.SSLContext | None = None, **changes: object
) -> None:
    """Run ``test`` beside a server, which may speak TLS; ``changes`` are those of the core's hello."""

    async def run(core: FakeCore, listener: socket.socket) -> None:
        async with _serving(core, listener, secure) as running:
            await test(running)

    with (
        fake_core(**{"anonymous": "control", **changes}) as core,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        asyncio.run(run(core, listener))
