"""What our checks print: a pipe each, emptied as it fills, of which the last line is kept.

Law of this file: pipes, and no waiting. A check that prints for ever neither blocks nor costs memory.
"""

from __future__ import annotations

import errno
import os
import select

from initd.spawning import SpawnError

_KEPT = 400  # bytes of the end
_AT_ONCE = 65_536  # as much as a pipe holds


class Earshot:
    """By the check's pid."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._opened = -1  # the reader of a check that is being started
        self._readers: dict[int, int] = {}  # pid -> descriptor
        self._heard: dict[int, bytes] = {}  # descriptor -> the end of what came

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
        self._readers[pid] = fd = self._opened
        self._heard[fd] = b""
        self._epoll.register(fd, select.EPOLLIN)

    def abandon(self) -> None:
        """The check of the pipe that was opened last was not started."""
        os.close(self._opened)

    def read(self, ready: list[int]) -> None:
        """Empty those that have something."""
        for fd in ready:
            if fd in self._heard and not self._read(fd):
                self._epoll.unregister(fd)  # whoever had it closed it: nothing more will come

    def _read(self, fd: int) -> bool:
        try:
            data = os.read(fd, _AT_ONCE)
        except OSError:  # EAGAIN
            return True
        self._heard[fd] = (self._heard[fd] + data)[-_KEPT:]
        return bool(data)

    def finish(self, pid: int) -> str | None:
        """It ended: the last line that it wrote, if any. Nobody else listens to what it left running."""
        fd = self._readers.pop(pid, None)
        if fd is None:
            return None
        self._read(fd)
        os.close(fd)  # that it was watched ends with it; epoll(7), question 6
        lines = self._heard.pop(fd).decode("utf-8", "backslashreplace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), None)
