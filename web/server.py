"""uvicorn, held by the rules of a house where the server is a guest.

Law of this file: connections and their limits, nothing about what is asked on them. uvicorn has no limit on
how long a request may take to arrive or an answer to be read, so both are here; and it takes over
signals, wakes ten times a second and shuts down at leisure, so none of that is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import struct
import time
from collections.abc import Generator, MutableSet
from email.utils import formatdate
from typing import Any

import h11
import uvicorn.server
from starlette.types import ASGIApp
from uvicorn.config import Config as UvicornConfig
from uvicorn.protocols.http.h11_impl import H11Protocol

from web import limits
from web.access import Peer
from web.answer import encode
from web.house import House
from web.problem import MEDIA_TYPE, Problem, document

REQUEST_PATIENCE = 10.0  # for a whole request to arrive; the largest has 64 KiB
WRITE_PATIENCE = 10.0  # for a client to read on, once 64 KiB of answer wait for it
KEEP_ALIVE = 65  # more than any scrape interval that is usual, and than proxies keep theirs
GOODBYE = 0.25  # seconds for open requests to end, once told to
_UCRED = struct.Struct("iII")  # struct ucred: pid, uid, gid


@functools.lru_cache(maxsize=1)
def date_header(now: int) -> list[tuple[bytes, bytes]]:
    """The Date header (RFC 9110, 6.6.1), made once a second and only when somebody asks something."""
    return [(b"date", formatdate(now, usegmt=True).encode())]


def peer_of(sock: socket.socket) -> Peer:
    """Who connected, by the kernel's word; unix(7), SO_PEERCRED."""
    if sock.family == socket.AF_UNIX:
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _pid, uid, _gid = _UCRED.unpack(credentials)
        return Peer("unix", uid, "unix")
    address = sock.getpeername()[0]
    return Peer("tcp", None, str(address).removeprefix("::ffff:"))


class Protocol(H11Protocol):
    """One connection."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._house: House = self.app_state["house"]
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.began = self.loop.time()
        try:
            peer = peer_of(transport.get_extra_info("socket"))
        except OSError:  # gone already
            transport.abort()
            return
        self.app_state = {**self.app_state, "peer": peer}
        self._expect_request()
        make_room(self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    # --- a request must arrive in time ------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self.server_state.default_headers = date_header(int(time.time()))
        super().data_received(data)
        self._expect_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.began = self.loop.time()
        self._expect_request()

    @property
    def idle(self) -> bool:
        """Nobody waits for an answer on this connection."""
        return self.cycle is None or self.cycle.response_complete

    def _arriving(self) -> bool:
        if self.conn.their_state is h11.SEND_BODY:
            return True
        begun = self.cycle is None or bool(self.conn.trailing_data[0])
        return self.conn.their_state is h11.IDLE and begun

    def _expect_request(self) -> None:
        """The timer runs from the first byte (or the connection) to the last, however slowly they drip."""
        if not self._arriving():
            if self._late is not None:
                self._late.cancel()
                self._late = None
        elif self._late is None:
            self._late = self.loop.call_later(REQUEST_PATIENCE, self.transport.abort)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  ours says more
        """What is not HTTP gets a problem, where an answer can still be sent; then the connection ends."""
        if self.idle and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = encode(
                document(Problem("malformed", "cannot read this request: it is not valid HTTP/1.1"))
            )
            headers = [
                *self.server_state.default_headers,
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", b"%d" % len(body)),
                (b"connection", b"close"),
            ]
            for event in (
                h11.Response(status_code=400, headers=headers),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    # --- an answer must be read in time -------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(WRITE_PATIENCE, self._cut_off)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _cut_off(self) -> None:
        self._house.slow_readers += 1
        self.transport.abort()


def make_room(connections: MutableSet[Any]) -> None:
    """When there are too many connections, end the one that has been idle longest, or else the newest."""
    if len(connections) > limits.CONNECTIONS:
        idle = [c for c in connections if c.idle]
        chosen = min(idle, key=lambda c: c.began) if idle else max(connections, key=lambda c: c.began)
        connections.discard(chosen)
        chosen.transport.abort()


class Server(uvicorn.server.Server):
    """Serves until ``ending`` is set; sleeps while nothing happens."""

    def __init__(self, config: UvicornConfig, house: House, ending: asyncio.Event) -> None:
        super().__init__(config)
        self._house = house
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["house"] = self._house  # each connection gets a copy of this
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(limits.BACKLOG)  # asyncio has set it to the number that it accepts at once

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # signals are web/__main__.py's

    async def main_loop(self) -> None:
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002  uvicorn's
        """Streams first, then whatever is being answered, but not for long."""
        for server in self.servers:
            server.close()
        self._house.closing = True
        self._house.mirror.wake()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=GOODBYE)


def make(app: ASGIApp, house: House, ending: asyncio.Event) -> Server:
    """The server, with nothing left to what else may be installed or set in the environment."""
    logging.getLogger("uvicorn.error").disabled = True  # what clients do wrong is answered, not logged
    config = UvicornConfig(
        app,
        http=Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        backlog=limits.AT_ONCE,
        h11_max_incomplete_event_size=limits.HEADER_BYTES,
    )
    return Server(config, house, ending)
