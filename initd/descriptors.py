"""Our own descriptors: standard ones that are really there, a reserved number, a write that cannot block.

Law of this file: what is done to a descriptor before and beside the loop. Imported before main runs.
"""

from __future__ import annotations

import posix as os
import select


def open_stdio() -> None:
    """Descriptors 0 to 2 that were closed at entry become /dev/null, so that no socket lands there."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open("/dev/null", os.O_RDWR), True)


def reserve(fd: int) -> None:
    """Keep this number free for a child's dup2: no descriptor of ours may land on it by chance."""
    spare = os.open("/", os.O_RDONLY)
    if spare != fd:
        os.close(spare)


def write_line(fd: int, line: bytes) -> bool:
    """Write if that cannot block; False when there was no room, or nobody to read. Never raises.

    Not O_NONBLOCK: that is a property of the open file, which main shares.
    """
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
