"""What our checks print: a pipe each, emptied as it fills, of which the last line is kept.

Law of this file: pipes, and no waiting. A check that prints for ever neither blocks nor costs memory.
"""

from __future__ import annotations

import errno
import posix as os
import select

from initd.spawning import SpawnError

_KEPT = 400  # bytes of the end
_AT_ONCE = 65_536  # as much as a pipe holds


class _Ear:
    """The reading end of one check's pipe; -1 once it is closed."""

    def __init__(self, fd: int, poll: select.poll) -> None:
        self.fd, self._poll = fd, poll
        self._poll.register(fd, select.POLLIN)
        self.tail = b""

    def take(self) -> None:
        """What is there; once a turn, so that one that prints for ever holds nothing else up."""
        try:
            data = os.read(self.fd, _AT_ONCE)
        except OSError:  # EAGAIN
            return
        self.tail = (self.tail + data)[-_KEPT:]
        if not data:
            self.close()

    def close(self) -> None:
        """It is watched no more: a pipe without a writer, or a number that is free, is ready for ever."""
        self._poll.unregister(self.fd)
        os.close(self.fd)
        self.fd = -1

    def last_line(self) -> str | None:
        lines = self.tail.decode("utf-8", "backslashreplace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), None)


class Earshot:
    """By the check's pid."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._opened = -1  # the reader of a check that is being started
        self._ears: dict[int, _Ear] = {}

    def open(self) -> int:
        """A new pipe; the writing end is the caller's. Raises SpawnError: without it there is no check."""
        try:
            self._opened, writer = os.pipe2(os.O_CLOEXEC)
        except OSError as error:
            raise SpawnError("pipe", error.errno or errno.EMFILE) from None
        os.set_blocking(self._opened, False)
        return writer

    def listen(self, pid: int) -> None:
        """The pipe that was opened last is this check's."""
        self._ears[pid] = _Ear(self._opened, self._poll)

    def abandon(self) -> None:
        """The check of the pipe that was opened last was not started."""
        os.close(self._opened)

    def read(self, ready: list[int]) -> None:
        """Take from those that have something."""
        for ear in self._ears.values():
            if ear.fd in ready:
                ear.take()

    def finish(self, pid: int) -> str | None:
        """It ended: the last line that it wrote, if any. Nobody listens to what it left running."""
        ear = self._ears.pop(pid, None)
        if ear is None:
            return None
        if ear.fd >= 0:
            ear.take()
        if ear.fd >= 0:
            ear.close()
        return ear.last_line()
