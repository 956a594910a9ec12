"""What wakes PID 1: a signal, or a descriptor that has something to read; one wait for both.

Law of this file: it waits and says what woke it. What that means is the loop's.

sigwaitinfo(2) says who sent a signal, and is in the standard library. signalfd(2) is not: it takes ctypes,
4 ms and 0.35 MB, and an image may be without. So descriptors speak by a signal too (O_ASYNC), and that is
CHLD: it means "look" anyway, is never main's, and that several are one (signal(7)) loses nothing where
everybody is looked at.
"""

from __future__ import annotations

import _socket
import fcntl
import posix as os
import select

from initd import signals, syscalls

_CHLD = signals.NUMBERS["CHLD"]
_AT_ONCE = 64  # signals in one turn: a flood of them must not hold up a reap
_PATIENCE = 0.05  # descriptors that cannot wake us are looked at this often


class Wakeup:
    """The signals that are blocked when it is made, and the descriptors that are registered.

    CHLD that came before it was made is forgotten: whoever makes it looks at the children afterwards.
    """

    def __init__(self) -> None:
        self._poll = select.poll()  # not epoll: for so few it is as quick, and it needs no descriptor
        self._waited_for = syscalls.blocked_signals()
        self._again = False  # something was ready: there may be more, of which nothing will be said again
        self._mute: set[int] = set()  # descriptors that cannot wake us
        self.works = self._is_heard()

    def register(self, fd: int) -> None:
        """From now on ``fd`` wakes us where it has something to read, or its other end has gone."""
        self._poll.register(fd, select.POLLIN)
        self._again = True  # it may have had something before
        try:
            _give_voice(fd)
        except OSError:  # no memory for it
            self._mute.add(fd)

    def unregister(self, fd: int) -> None:
        """Before it is closed: a number that is free would be ready for ever."""
        self._poll.unregister(fd)
        self._mute.discard(fd)

    def wait(self, seconds: float | None) -> tuple[list[tuple[int, int, int]], list[int]]:
        """Sleep no longer than that (None: for ever): signals that came, and descriptors that are ready.

        A signal is its number, and its sender's pid and uid. Raises OSError where a filter refuses the wait.
        """
        if self._again:
            seconds = 0.0
        elif self._mute or not self.works:
            seconds = min(_PATIENCE, _PATIENCE if seconds is None else seconds)
        found = syscalls.take_signals(self._waited_for, seconds, _AT_ONCE)
        ready = self.ready()
        self._again = bool(ready) or len(found) == _AT_ONCE
        return found, ready

    def ready(self) -> list[int]:
        """The descriptors that are ready now."""
        return [fd for fd, _ in self._poll.poll(0)]

    def _is_heard(self) -> bool:
        """Does a descriptor's signal come? A kernel that is no Linux may promise it, and send none."""
        try:
            ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
            _give_voice(ours.fileno())
            syscalls.discard((_CHLD,))
            theirs.send(b"?")
            return bool(syscalls.take_signals((_CHLD,), 0.0, 1))
        except OSError:
            return False


def _give_voice(fd: int) -> None:
    """It sends us CHLD whenever something arrives; fcntl(2)."""
    fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(fd, fcntl.F_SETSIG, _CHLD)
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
