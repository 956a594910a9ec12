"""A port before a unix socket, for those who can only ask over TCP."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def bridged(path: Path) -> Iterator[int]:
    """A port on loopback that leads to ``path``."""
    listener, over = socket.create_server(("127.0.0.1", 0)), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(path, listener, over)))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        thread.join()


async def _serve(path: Path, listener: socket.socket, over: threading.Event) -> None:
    """Until it is over; whoever still talks then is cut off."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(path)
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))

    server = await asyncio.start_server(meet, sock=listener)
    await asyncio.to_thread(over.wait)
    server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
