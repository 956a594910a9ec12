"""PID 1's end of the letterbox: a socketpair for each web, and never a wait on it.

Law of this file: datagrams in and out as inputs and bytes; what they mean is desk.py's.
"""

from __future__ import annotations

import _socket
import select

from initd import dropping, wire
from initd.inputs import Asked, Garbled, LetterboxClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TAKE = 64  # datagrams a turn: a flood on the letterbox must not hold up a reap
_SO_PASSRIGHTS = 83  # asm-generic/socket.h, since Linux 6.16
_ROOM = _socket.CMSG_SPACE(4 * dropping.MOST)


class Letterbox:
    """Closed until ``open`` is called for a new web; each web gets a new one, so no old word reaches it."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._socket: _socket.socket | None = None
        self._picky = False  # the kernel lets no descriptor through

    def open(self) -> _socket.socket:
        """A new pair; ours is kept, web's is returned. Raises OSError without descriptors."""
        self.close()
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._picky = _refuse_descriptors(ours)
        self._poll.register(ours.fileno(), select.POLLIN)
        self._socket = ours
        return theirs

    def close(self) -> None:
        if self._socket is not None:
            self._poll.unregister(self._socket.fileno())
            if self._picky:
                self._socket.close()
            else:  # what lies in its queue is closed with it
                dropping.in_time(self._socket.close)
            self._socket = None

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until there is something to read; whether there is."""
        poll = select.poll()
        if self._socket is not None:
            poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def is_in(self, ready: list[int]) -> bool:
        """Is there something to read?"""
        return self._socket is not None and self._socket.fileno() in ready

    def send(self, datagram: bytes) -> bool:
        """False when there was no room. To nobody it is said in vain: web's exit tells the rest."""
        try:
            if self._socket is not None:
                self._socket.send(datagram, _socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def read(self) -> Iterator[Asked | Garbled | LetterboxClosed]:
        """What has come, up to a fair share of a turn."""
        for _ in range(_TAKE):
            if self._socket is None:
                return
            try:
                data = _receive(self._socket)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                yield LetterboxClosed()
                return
            yield _message(data)


def _refuse_descriptors(ours: _socket.socket) -> bool:
    """Web has none to send; one that was taken over fails in sending, where the kernel can do that."""
    try:
        ours.setsockopt(_socket.SOL_SOCKET, _SO_PASSRIGHTS, 0)
    except OSError:  # an older kernel: _receive has room for them
        return False
    return True


def _receive(ours: _socket.socket) -> bytes:
    """The next datagram. Raises BlockingIOError when there is none, OSError when web is gone.

    With room for descriptors: those without are closed by the kernel in our name, and one may take its time.
    """
    data, extra, _flags, _address = ours.recvmsg(wire.LIMIT + 1, _ROOM, _socket.MSG_CMSG_CLOEXEC)
    if extra:
        dropping.drop(dropping.sent_along(extra))
    return data


def _message(data: bytes) -> Asked | Garbled:
    try:
        return Asked(wire.decode(data))
    except wire.Malformed as malformed:
        return Garbled(str(malformed))
