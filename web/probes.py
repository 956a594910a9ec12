"""The checks that the core asks for: does main answer on this port, or to this request?

Law of this file: as kubelet does it (no redirect followed, no certificate verified, the body read too), and
on the event loop alone: looking up a name takes a thread, which may hang, and under pids.max is not to be
had. So hosts are addresses, or localhost. ``look`` never raises; what is wrong is the answer.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import h11

if TYPE_CHECKING:
    import ssl

MOST = 10_240  # bytes of a body that are read, so that a server with a short answer is not cut off
_LOCALHOST = ("127.0.0.1", "::1")
_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """Where to look: ``scheme`` is tcp, http or https; ``netloc`` and ``path`` are what a request says."""

    scheme: str
    host: str
    port: int
    netloc: str
    path: str


class Unanswered(Exception):
    """Not answered as a healthy one does."""


class Checks:
    """The core's requests that are under way; each is answered by ``tell``."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, message: dict[str, Any]) -> None:
        """A ``check`` of the core. Raises KeyError, TypeError or ValueError where it is not one."""
        number, patience = message["n"], float(message["timeout"])
        looking = look(str(message["how"]), str(message["target"]), patience)
        task = asyncio.get_running_loop().create_task(self._answer(number, looking))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: object, looking: Awaitable[str | None]) -> None:
        why = await looking
        self._tell({"t": "checked", "n": number, "ok": why is None, "why": why})

    def close(self) -> None:
        """Nobody waits for the answers any more."""
        for task in self._tasks:
            task.cancel()


async def look(how: str, target: str, patience: float) -> str | None:
    """Look once, for at most ``patience`` seconds. None when all is well, else why not.

    Anybody may read that in /readyz: so neither the target, whose query may hold a key, nor what main said.
    """
    try:
        where = parse(how, target)
        async with asyncio.timeout(patience):
            async with _connected(where) as (reader, writer):
                if where.scheme != "tcp":
                    await _get(where, reader, writer)
    except TimeoutError:
        return f"no answer within {patience:g} s"
    except ConnectionRefusedError:
        return "connection refused"
    except h11.ProtocolError:
        return "the answer is not HTTP"
    except (OSError, ValueError, Unanswered) as fault:  # an error of TLS is an OSError
        return str(fault)
    return None


def parse(how: str, target: str) -> Target:
    """``127.0.0.1:8080`` for tcp, an URL for http. Raises ValueError."""
    url = urlsplit(f"tcp://{target}" if how == "tcp" else target)
    port = url.port or _PORTS.get(url.scheme)
    if url.scheme not in (("tcp",) if how == "tcp" else _PORTS) or not url.hostname or not port:
        form = "ADDRESS:PORT" if how == "tcp" else "http://ADDRESS:PORT/PATH"
        raise ValueError(f"cannot check this: say {form}")
    if url.hostname != "localhost" and not _is_address(url.hostname):
        raise ValueError("cannot check this: the host is an IP address or localhost, names are not looked up")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return Target(url.scheme, url.hostname, port, url.netloc.rpartition("@")[2], path)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False


@asynccontextmanager
async def _connected(where: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    first, *others = _LOCALHOST if where.host == "localhost" else (where.host,)
    try:
        reader, writer = await _open(where, first)
    except ConnectionRefusedError:
        if not others:
            raise
        reader, writer = await _open(where, others[0])
    try:
        if writer.get_extra_info("sockname") == writer.get_extra_info("peername"):
            # A port of the ephemeral range that nobody listens on, and the kernel gave it to us.
            raise ConnectionRefusedError
        yield reader, writer
    finally:
        writer.transport.abort()


async def _open(where: Target, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    secure = _unverified() if where.scheme == "https" else None
    return await asyncio.open_connection(address, where.port, ssl=secure)


@functools.cache
def _unverified() -> ssl.SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _get(where: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request. Raises Unanswered unless the status is 200 to 399."""
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", where.netloc), ("User-Agent", "initd"), ("Accept", "*/*"), ("Connection", "close")]
    request = h11.Request(method="GET", target=where.path, headers=headers)
    writer.write((connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b""))
    status, body = 0, 0
    while body < MOST:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(MOST)
            if not data and not status:
                raise Unanswered("it closed the connection without an answer")
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += len(event.data)
        elif not isinstance(event, h11.InformationalResponse):
            break
    if not 200 <= status < 400:
        raise Unanswered(f"status {status}")
