"""What wakes PID 1: a signal, or a descriptor that has something to read; one wait for both.

Law of this file: it waits and says what woke it. What that means is the loop's.

sigtimedwait(2) says who sent a signal, and is in the standard library. signalfd(2) is not: it would take
ctypes, 4 ms and 0.35 MB, and an image may be without. So descriptors speak by a signal too (O_ASYNC),
and it is CHLD: that means "look" anyway, is never main's, and that several are one (signal(7)) loses nothing
where everybody is looked at.
"""

from __future__ import annotations

import fcntl
import posix as os
import select

from initd import signals, syscalls

_AT_ONCE = 64  # signals in one turn: a flood of them must not hold up a reap
_PATIENCE = 0.05  # where descriptors wake nobody they are looked at this often
_DEAF = 3  # so often something was ready and nothing had been said


class Wakeup:
    """The signals that are blocked when it is made, and the descriptors that are registered."""

    def __init__(self) -> None:
        self._poll = select.poll()  # not epoll: for so few it is as quick, and it needs no descriptor
        self._waited_for = syscalls.blocked_signals()
        self._again = False  # something was ready: there may be more, of which nothing will be said again
        self._unheard = 0

    def register(self, fd: int) -> None:
        """From now on ``fd`` wakes us where it has something to read, or its other end has gone."""
        self._poll.register(fd, select.POLLIN)
        self._again = True  # it may have had something before
        try:
            fcntl.fcntl(fd, fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(fd, fcntl.F_SETSIG, signals.NUMBERS["CHLD"])
            fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_ASYNC)
        except OSError:  # a kernel that cannot
            self._unheard = _DEAF

    def unregister(self, fd: int) -> None:
        """Before it is closed: a number that is free would be ready for ever."""
        self._poll.unregister(fd)

    def wait(self, seconds: float | None) -> tuple[list[tuple[int, int, int]], list[int]]:
        """Sleep no longer than that (None: for ever): signals that came, and descriptors that are ready.

        A signal is its number, and its sender's pid and uid.
        """
        if self._again:
            seconds = 0.0
        elif self._unheard >= _DEAF:
            seconds = min(_PATIENCE, _PATIENCE if seconds is None else seconds)
        found = syscalls.take_signals(self._waited_for, seconds, _AT_ONCE)
        ready = [fd for fd, _ in self._poll.poll(0)]
        if ready and not self._again and self._unheard < _DEAF:
            self._unheard = 0 if found else self._unheard + 1
        self._again = bool(ready) or len(found) == _AT_ONCE
        return found, ready
