"""A connection as the server has it: any bytes through h11 and uvicorn's protocol to our own routes.

Law of this file: everything is real but the kernel; the core behind it is the real one in its fake world.
Time leaps: where nothing is left to do the next timer is due, so that a limit of a minute costs nothing. The
bytes come at once, half a minute passes, the client leaves; half a minute later nothing may be left over.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import socket
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import h11
from starlette.types import Message, Receive, Scope, Send

from tests.core.driver import World, running
from tests.fuzz.requests import CONFIG
from tests.fuzz.target import Target
from tests.web.rows import row
from web import app as application
from web import server
from web.app import TABLE
from web.connection import Connection
from web.crowd import Crowd
from web.house import House
from web.memory import Memory
from web.mirror import Mirror
from web.problem import CODES, MEDIA_TYPE, Problem
from web.sampler import ERRORS, Snapshot

T = TypeVar("T")

A_WHILE = 30.0  # seconds that leap by: more than any limit on what a client may take for a request
STATUSES = {200, 202, *(status for status, _ in CODES.values())} - {500}
LEFT = 499  # counted and never sent: the client has left
_QUIET = os.eventfd(0)  # as a connection that nobody has ended


class _Leaping(selectors.SelectSelector):
    """No descriptor is ever ready, and waiting takes no time."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "it waits for what never comes"
        self.now += timeout
        return []


class _Transport(asyncio.Transport):
    """What a client was sent, until somebody closes."""

    def __init__(self, protocol: asyncio.Protocol, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False
        self.reading = True
        self._protocol, self._loop = protocol, loop

    def get_extra_info(self, name: str, default: object = None) -> object:
        peer = SimpleNamespace(
            family=socket.AF_INET,
            getpeername=lambda: ("192.0.2.1", 1),
            getsockname=lambda: ("192.0.2.2", 2),
            fileno=lambda: _QUIET,
        )
        return peer if name == "socket" else default

    def write(self, data: Any) -> None:
        assert not self.closed, "written after the end"
        self.sent += data

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It reads everything at once."""

    def get_write_buffer_size(self) -> int:
        return 0


class _Link:
    """The letterbox without a socket: the core answers at once, and events are there before the answer."""

    def __init__(self, world: World, mirror: Mirror) -> None:
        self._world, self._mirror, self._heard = world, mirror, len(world.sent)
        mirror.fill(0, world.history(), world.desk.books.history.last)

    async def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        fields.pop("timeout", None)
        reply = self._world.ask(what, **fields)
        for message in self._world.sent[self._heard :]:
            if message["t"] == "events":
                self._mirror.take(message["events"])
        self._heard = len(self._world.sent)
        if not reply["ok"]:
            raise Problem(reply["error"]["code"], reply["error"]["detail"])
        return reply

    shared = ask

    async def state(self) -> dict[str, Any]:
        return await self.ask("state")

    async def whole(self) -> None:
        """All of the history is there."""

    async def caught_up(self, seq: int) -> None:
        assert self._mirror.last >= seq


class _Sampler:
    """Four processes that are always the same; their like is not in this machine's /proc."""

    errors: Mapping[str, int] = dict.fromkeys(ERRORS, 0)

    async def run(self, work: Callable[[], T]) -> T:
        return work()

    async def snapshot(self) -> Snapshot:
        return await self.begin()

    def begin(self) -> asyncio.Future[Snapshot]:
        lives = (row(1, 0), row(2, 1, "a) (\x1b[31m"), row(3, 1, "web"), row(4_000_000, 2, "\\xff", "Z"))
        rows = {life.pid: life for life in lives}
        looking: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        looking.set_result(Snapshot(rows, 1_700_000_000.0, 1_700_000_100.0, 0.001, dict(self.errors)))
        return looking


class _Server:
    """Made once: a loop, and our application with all its middleware, whose answers are remembered."""

    def __init__(self) -> None:
        self.clock = _Leaping()
        self.loop = asyncio.SelectorEventLoop(self.clock)
        self.loop.time = lambda: self.clock.now  # type: ignore[method-assign]
        self.loop.set_exception_handler(lambda _, context: self.odd.append(context))
        self.odd: list[dict[str, Any]] = []
        self.answers: list[tuple[str, int, dict[bytes, bytes], bytes]] = []
        self._app = application.make(self._house())
        made = server.make(self._listened, self._house(), asyncio.Event())
        made.config.load()
        self._config, self._state = made.config, made.server_state

    def _house(self) -> House:
        mirror = Mirror(50)
        link = _Link(running("--history", "50"), mirror)
        return House(CONFIG, cast("Any", link), mirror, cast("Any", _Sampler()), Memory())

    async def _listened(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers, body = 0, {}, b""

        async def heard(message: Message) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], dict(message["headers"])
            else:
                body += message["body"]
            await send(message)

        await self._app(scope, receive, heard)
        self.answers.append((scope["method"], status, headers, body))

    async def converse(self, data: bytes) -> bytes:
        """What one client is sent in all."""
        self.odd.clear()
        self.answers.clear()
        house = self._app.state.house = self._house()
        protocol = Connection(self._config, self._state, house, Crowd())
        transport = _Transport(protocol, self.loop)
        protocol.connection_made(transport)
        await self._send(protocol, transport, data)
        await asyncio.sleep(A_WHILE)
        if not transport.closed:
            protocol.eof_received()
            transport.close()
        await asyncio.sleep(A_WHILE)
        assert (house.streams, len(self._state.connections), len(self._state.tasks)) == (0, 0, 0)
        return transport.sent

    async def _send(self, protocol: Connection, transport: _Transport, data: bytes) -> None:
        """As much as is taken within a while, in odd pieces."""
        end = self.loop.time() + A_WHILE
        while data and not transport.closed and self.loop.time() < end:
            if transport.reading:
                room = protocol.get_buffer(-1)
                size = min(len(room), len(data), 1 + len(data) % 997)
                room[:size], data = data[:size], data[size:]
                protocol.buffer_updated(size)
            await asyncio.sleep(0 if transport.reading else 1)


_SERVER = _Server()


def http(data: bytes) -> None:
    """Each answer is sound HTTP with a status that we know; nothing is left running."""
    sent = _SERVER.loop.run_until_complete(_SERVER.converse(data))
    assert not _SERVER.odd, _SERVER.odd
    assert not asyncio.all_tasks(_SERVER.loop)
    for method, status, headers, body in _SERVER.answers:
        if status:  # else the client left first
            _is_sound(method, status, headers, body)
    methods = [method for method, _, _, _ in _SERVER.answers]
    _is_http(sent, methods)


def _is_sound(method: str, status: int, headers: Mapping[bytes, bytes], body: bytes) -> None:
    assert status in STATUSES | {LEFT}, (method, status, body)
    media = headers.get(b"content-type", b"").partition(b";")[0].decode()
    if media.endswith("json") and method != "HEAD":
        said = json.loads(body)
        if media == MEDIA_TYPE:
            assert said["status"] == status >= 400
            assert said["detail"].isprintable()


def _is_http(sent: bytes, methods: list[str]) -> None:
    """A client that reads by the RFC can read it all; only what was cut off by its leaving may be open."""
    for number in range(len(methods) + 1):
        if not sent:
            return
        reader = h11.Connection(h11.CLIENT)
        asked = methods[number] if number < len(methods) else "GET"
        reader.send(h11.Request(method=asked, target="/", headers=[("Host", "x")]))
        reader.send(h11.EndOfMessage())
        reader.receive_data(sent)
        event = reader.next_event()
        while not isinstance(event, h11.EndOfMessage) and event is not h11.NEED_DATA:
            assert not isinstance(event, h11.Response) or event.status_code in STATUSES
            event = reader.next_event()
        if event is h11.NEED_DATA:
            return
        sent = reader.trailing_data[0]
    assert not sent, sent[:200]


_LINES = (f"{method} {path} HTTP/1.1\r\nHost: x\r\n" for path, methods, *_ in TABLE for method in methods)

TARGETS = (Target("http", http, 10_000, tuple(line.encode() for line in _LINES)),)
