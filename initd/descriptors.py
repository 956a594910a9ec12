"""Our own descriptors: standard ones that are really there, a reserved number, a log that cannot block.

Law of this file: what is done to a descriptor before and beside the loop. Imported before main runs.
"""

from __future__ import annotations

import _stat
import posix as os
import select

_LOG = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY

log = 2  # where our lines go; changed by open_log alone


def open_stdio() -> None:
    """Descriptors 0 to 2 that were closed at entry become /dev/null, so that no socket lands there."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(open_null(os.O_RDWR), True)


def open_null(flags: int) -> int:
    """/dev/null; where there is none a pipe that has ended: it gives nothing, and takes nothing."""
    try:
        return os.open("/dev/null", flags)
    except OSError:
        reader, writer = os.pipe()
        os.close(writer)
        return reader


def open_log() -> None:
    """A way of our own to standard error, where a write may fail, but never waits for a reader.

    O_NONBLOCK would be main's too, since it is a property of the open file; so the pipe or terminal is opened
    anew. poll(2) alone is no promise: a terminal is ready when there is room for one byte, and main may
    take the room of a pipe first. Not a regular file: it has no reader, and each opening its own end.
    """
    global log  # noqa: PLW0603  found once, before anything is said
    try:
        if not _stat.S_ISREG(os.fstat(2).st_mode):
            log = os.open("/proc/self/fd/2", _LOG)
    except OSError:  # a socket, another user's pipe, no /proc, nobody who reads
        return


def open_log_of_web() -> int:
    """The same for web alone, in its own process; ours where that cannot be had.

    A web that was taken over could take O_NONBLOCK off what it shares with us, and our next line would wait.
    """
    if log == 2:  # it could not be opened anew for us either; web's walls keep it from changing it
        return log
    try:
        return os.open(f"/proc/self/fd/{log}", _LOG)
    except OSError:
        return log


def reserve(fd: int) -> None:
    """Keep this number free for a child's dup2: no descriptor of ours may land on it by chance."""
    spare = os.open("/", os.O_RDONLY)
    if spare != fd:
        os.close(spare)


def write_line(fd: int, line: bytes) -> bool:
    """Write if that cannot block; False when there was no room, or nobody to read. Never raises."""
    fd = log if fd == 2 else fd
    try:
        waiter = select.poll()
        waiter.register(fd, select.POLLOUT)
        if not any(events & select.POLLOUT for _, events in waiter.poll(0)):
            return False
        os.write(fd, line if len(line) <= 4096 else line[:4095] + b"\n")  # PIPE_BUF: what POLLOUT promises
    except OSError:
        return False
    return True


def count_descriptors() -> int | None:
    """How many descriptors we hold; the listing's own is not counted."""
    try:
        return len(os.listdir("/proc/self/fd")) - 1
    except OSError:
        return None
