"""What somebody has sent us along with a message, closed: to close it is to do what he has prepared.

Law of this file: never a wait. Whoever closes the last copy of a socket waits as long as its SO_LINGER says.
"""

from __future__ import annotations

import _socket
import posix as os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal

MOST = 253  # SCM_MAX_FD: those that there is no room for would be closed by the kernel, but in our time
_PATIENCE = 0.001  # seconds that a close may wait, and then how long each further one
_IMPATIENCE = 0.0002


def sent_along(extra: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors among what came beside a message; cmsg(3)."""
    found: list[int] = []
    for level, kind, data in extra:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            found += memoryview(data[: len(data) // 4 * 4]).cast("i").tolist()
    return found


def drop(descriptors: list[int]) -> None:
    """Close what a sender gave us: a pipe, which is what BARRIER=1 is, or who knows what."""
    others = []
    for fd in descriptors:
        if _is_pipe(fd):
            os.close(fd)
        else:
            others.append(fd)
    if others:
        in_time(lambda: _close(others))


def _is_pipe(fd: int) -> bool:
    """By its name in /proc, since fstat(2) may wait for a file server."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:[")
    except OSError:
        return False


def in_time(close: Callable[[], None]) -> None:
    """Who closes a socket waits as long as its SO_LINGER says, or that of one in its queue; a signal ends it.

    So a timer sends signals meanwhile, and not only one, which might come before the wait that it is for.
    Neighbours are closed by one call: the signal that ends the first wait is then still there for the rest.
    """
    before = _signal.signal(_signal.SIGALRM, _wake)
    _signal.setitimer(_signal.ITIMER_REAL, _PATIENCE, _IMPATIENCE)
    mask = _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGALRM,))
    try:
        close()
    finally:
        _signal.setitimer(_signal.ITIMER_REAL, 0)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        _signal.signal(_signal.SIGALRM, before or _signal.SIG_DFL)


def _close(descriptors: list[int]) -> None:
    for first, end in _runs(descriptors):
        os.closerange(first, end)  # whatever it is that a close complains of, it is none of ours


def _wake(*_: object) -> None:
    """That the signal came is all."""


def _runs(descriptors: list[int]) -> list[tuple[int, int]]:
    """Neighbours together, as (first, last + 1)."""
    runs: list[tuple[int, int]] = []
    for fd in descriptors:
        if runs and runs[-1][1] == fd:
            runs[-1] = runs[-1][0], fd + 1
        else:
            runs.append((fd, fd + 1))
    return runs
