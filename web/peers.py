"""Who is at the other end of a connection, and whether anybody still is.

Law of this file: what the kernel and the TLS session say of a transport, asked once; nothing is waited for.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct

from web.access import Peer
from web.tls import names_of

_UCRED = struct.Struct("iII")  # struct ucred: pid, uid, gid


def peer_of(transport: asyncio.Transport) -> Peer:
    """Who connected, by the word of the kernel (unix(7), SO_PEERCRED), and of the CA of its certificate."""
    sock = transport.get_extra_info("socket")
    if sock.family == socket.AF_UNIX:
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        _pid, uid, _gid = _UCRED.unpack(credentials)
        return Peer("unix", uid, "unix")
    address = sock.getpeername()[0]
    names = names_of(transport.get_extra_info("peercert"))
    return Peer("tcp", None, str(address).removeprefix("::ffff:"), names)


def address_of(transport: asyncio.Transport) -> str:
    """The address that a connection counts for; all of the unix socket are one."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if name else "unix"


def hung_up(transport: asyncio.Transport) -> bool:
    """Whether the connection has ended on both sides (poll(2), POLLHUP).

    Of a unix socket it is true as soon as the other end is closed; over TCP that cannot be told from an end
    that only has no more to say.
    """
    poller = select.poll()
    poller.register(transport.get_extra_info("socket"), 0)
    return bool(poller.poll(0))
