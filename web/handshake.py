"""TLS before HTTP: a connection counts as one from the moment it is there, not only once it is secure.

Law of this file: the handshake, bounded in time, number and memory. With ``ssl=`` of create_server asyncio
says nothing of a connection before its handshake is done: those that never finish one would take all
descriptors.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import sslproto
from typing import Protocol

PATIENCE = 5  # seconds for a client to finish its handshake
FAREWELL = 1.0  # for a client to say that it saw our end of the session
_HANDSHAKE = 22  # how every TLS connection begins (RFC 8446, 5.1): HTTP begins with a letter


class Connection(Protocol):
    """What is served once the handshake is done, as web/connection.py has it."""

    loop: asyncio.AbstractEventLoop

    def arrive(self, transport: asyncio.Transport) -> None:
        """It is there; ``connection_made`` follows, or ``depart``."""

    def depart(self) -> None:
        """It is gone; known already where it was secure."""

    def refuse(self, detail: str) -> None:
        """It is told so in plain HTTP, and ends."""


class Handshake(sslproto.SSLProtocol):
    """asyncio's TLS around a connection, which is told of its arrival."""

    max_size = 32_768  # of the buffer that each has; asyncio's 256 KiB would be 100 MB for all of them

    def __init__(self, connection: Connection, context: ssl.SSLContext) -> None:
        super().__init__(
            connection.loop,
            connection,  # type: ignore[arg-type]  # it is an asyncio.Protocol too
            context,
            None,  # type: ignore[arg-type]  # nobody waits: connection_made tells
            server_side=True,
            ssl_handshake_timeout=PATIENCE,
            ssl_shutdown_timeout=FAREWELL,
        )
        self._connection = connection
        self._silent = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # so it is
        self._connection.arrive(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connection.depart()
        super().connection_lost(exc)

    def buffer_updated(self, nbytes: int) -> None:
        if self._silent and self.get_buffer(1)[0] != _HANDSHAKE:
            self._connection.refuse("cannot speak plain HTTP here: say https://")
            return
        self._silent = False
        super().buffer_updated(nbytes)
