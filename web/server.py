"""uvicorn, held by the rules of a house where the server is a guest.

Law of this file: listening, and the end of it. uvicorn takes over signals, wakes ten times a second and shuts
down at leisure, so none of that is used; what a connection may do is in web/connection.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections.abc import Generator

import uvicorn.server
from starlette.types import ASGIApp
from uvicorn.config import Config as UvicornConfig

from web import connection, handshake, limits
from web.connection import Connection
from web.crowd import Crowd
from web.house import House

_LAST_WORDS = 10  # turns of the event loop in which a stream says that it ends
GOODBYE = 0.25  # seconds for open requests to end, when the init itself ends


class Server(uvicorn.server.Server):
    """Serves until ``ending`` is set; sleeps while nothing happens. ``tls`` is what TCP speaks, if any."""

    def __init__(
        self, config: UvicornConfig, house: House, ending: asyncio.Event, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(config)
        self._house = house
        self._crowd = Crowd()
        self._ending = ending
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's has one ``ssl`` for all sockets, and asyncio's does not count who is not secure yet."""
        self.servers = [await self._listen(listener) for listener in sockets or ()]
        self.started = True

    async def _listen(self, listener: socket.socket) -> asyncio.Server:
        tls = None if listener.family == socket.AF_UNIX else self._tls
        accept, loop = functools.partial(self._accept, tls), asyncio.get_running_loop()
        server = await loop.create_server(accept, sock=listener, backlog=limits.AT_ONCE)
        listener.listen(limits.BACKLOG)  # asyncio has set it to the number that it accepts at once
        return server

    def _accept(self, tls: ssl.SSLContext | None) -> asyncio.BaseProtocol:
        made = Connection(self.config, self.server_state, self._house, self._crowd)
        return made if tls is None else handshake.Handshake(made, tls)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # signals are web/__main__.py's

    async def main_loop(self) -> None:
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams first, then whatever is being asked or answered, but not for long.

        Who is in the backlog is left to the next web. The servers are closed last: asyncio would silently
        drop what it has accepted and not yet handed over.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for listener in sockets or ():
            loop.remove_reader(listener)
        self._house.closing = True
        self._house.mirror.wake()
        for _ in range(_LAST_WORDS if self.server_state.connections else 0):
            await asyncio.sleep(0)
        for each in list(self.server_state.connections):
            each.shutdown()
        while self.server_state.connections:
            if loop.time() > begun + (GOODBYE if self._house.leaving else connection.HANDOVER):
                break
            await asyncio.sleep(0.001)
        for server in self.servers:
            server.close()


def make(app: ASGIApp, house: House, ending: asyncio.Event, tls: ssl.SSLContext | None = None) -> Server:
    """The server, with nothing left to what else may be installed or set in the environment."""
    logging.getLogger("uvicorn.error").disabled = True  # what clients do wrong is answered, not logged
    config = UvicornConfig(
        app,
        http=Connection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=connection.KEEP_ALIVE,
        backlog=limits.AT_ONCE,
        h11_max_incomplete_event_size=limits.HEADER_BYTES,
    )
    return Server(config, house, ending, tls)
