"""The socket that main speaks sd_notify to, and who it was that spoke; unix(7), SCM_CREDENTIALS.

Law of this file: datagrams with their sender's credentials, and never a wait. The name is abstract, so that
neither a read-only file system nor main's user matters; who may speak is decided by credentials. But anybody
may send, descriptors too: dropping.py closes those.
"""

from __future__ import annotations

import _socket
import posix as os

from initd import dropping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TAKE = 64  # datagrams a turn
_CREDENTIALS = 12  # struct ucred: pid, uid, gid
_LIMIT = 8_192


class NotifyBox:
    """Bound before main starts. ``name`` is for main's NOTIFY_SOCKET, ``fd`` for the loop."""

    def __init__(self) -> None:
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        self._socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        self._socket.setblocking(False)
        self.name = b"@initd/notify/" + os.urandom(8).hex().encode()
        self._socket.bind(b"\0" + self.name[1:])
        self.fd = self._socket.fileno()

    def read(self) -> Iterator[tuple[bytes, int, int]]:
        """(message, sender's pid, sender's uid) of what has come.

        The descriptors that come along are closed only after their message was taken in: that is what a
        sender of BARRIER=1 waits for.
        """
        for _ in range(_TAKE):
            space = _socket.CMSG_SPACE(_CREDENTIALS) + _socket.CMSG_SPACE(4 * dropping.MOST)
            try:
                data, extra, _flags, _address = self._socket.recvmsg(_LIMIT, space, _socket.MSG_CMSG_CLOEXEC)
            except OSError:  # nothing more (EAGAIN), or no descriptor to give us (EMFILE)
                return
            pid, uid = _sender(extra)
            try:
                yield data, pid, uid
            finally:
                dropping.drop(dropping.sent_along(extra))


def _sender(extra: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    for level, kind, data in extra:
        credentials = level == _socket.SOL_SOCKET and kind == _socket.SCM_CREDENTIALS
        if credentials and len(data) >= _CREDENTIALS:
            pid, uid, _gid = memoryview(data[:_CREDENTIALS]).cast("I")
            return pid, uid
    return 0, -1
