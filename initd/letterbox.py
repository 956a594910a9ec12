"""PID 1's end of the letterbox: a socketpair for each web, and never a wait on it.

Law of this file: datagrams in and out as inputs and bytes; what they mean is desk.py's.
"""

from __future__ import annotations

import _socket
import select

from initd import wire
from initd.inputs import Asked, Garbled, LetterboxClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TAKE = 64  # datagrams a turn: a flood on the letterbox must not hold up a reap


class Letterbox:
    """Closed until ``open`` is called for a new web; each web gets a new one, so no old word reaches it."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._socket: _socket.socket | None = None

    def open(self) -> _socket.socket:
        """A new pair; ours is kept, web's is returned. Raises OSError without descriptors."""
        self.close()
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._poll.register(ours.fileno(), select.POLLIN)
        self._socket = ours
        return theirs

    def close(self) -> None:
        if self._socket is not None:
            self._poll.unregister(self._socket.fileno())
            self._socket.close()
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
                data = self._socket.recv(wire.LIMIT + 1)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                yield LetterboxClosed()
                return
            yield _message(data)


def _message(data: bytes) -> Asked | Garbled:
    try:
        return Asked(wire.decode(data))
    except wire.Malformed as malformed:
        return Garbled(str(malformed))
