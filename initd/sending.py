"""Signals that we send, and by which right; kill(2), pidfd_send_signal(2).

Law of this file: one process or one group, and never a stranger. Who gets which is decided elsewhere.
"""

from __future__ import annotations

import errno
import posix as os

from initd import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Callable
else:
    import _signal

_ABSENT = (errno.ENOSYS, errno.EPERM)  # docker's old seccomp default said EPERM for what it did not know
_NO_ROOM = (errno.EMFILE, errno.ENFILE)


def send_signal(pid: int, number: int) -> None:
    """kill(2): only for a child that we have not reaped, whose pid nobody else can have."""
    _send(pid, lambda: os.kill(pid, number))


def send_group(pgrp: int, number: int) -> None:
    """killpg(3)."""
    _send(pgrp, lambda: os.killpg(pgrp, number))


def send_everyone(number: int) -> None:
    """kill(-1): as PID 1 this is everyone in our namespace but us; never to be used elsewhere."""
    os.kill(-1, number)


def nobody_else() -> bool:
    """As PID 1: is nobody in our namespace but us, not even a zombie? kill(2), signal 0 to -1."""
    try:
        os.kill(-1, 0)
    except OSError as error:
        return error.errno == errno.ESRCH  # else there is somebody whom we may not signal
    return False


def send_guarded(pid: int, starttime: int | None, number: int) -> bool:
    """Signal any process; False when the pid has been reused since ``starttime``, and nothing was sent.

    pidfd_open(2) first, then the look at the start time, then pidfd_send_signal(2): whoever the look saw is
    who gets it. Without pidfds (old kernel, seccomp, no descriptor) a look and kill(2), with the race.
    """
    fd = _open(pid)
    try:
        if starttime is not None and syscalls.start_time(pid) != starttime:
            return False
        if fd is None or not _sent_by(fd, pid, number):
            send_signal(pid, number)
    finally:
        if fd is not None:
            os.close(fd)
    return True


def _open(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno not in _ABSENT + _NO_ROOM:
            raise
        return None


def _sent_by(fd: int, pid: int, number: int) -> bool:
    """False where the call is refused; kill(2) then tells whether that was for want of CAP_KILL."""
    try:
        _send(pid, lambda: _signal.pidfd_send_signal(fd, number))
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        return False
    return True


def _send(pid: int, send: Callable[[], None]) -> None:
    """Send; where that is not permitted, as the one whose process ``pid`` is.

    Containers drop CAP_KILL and keep CAP_SETUID, which main's user needs: then root may not signal main, but
    may be its user for that moment. kill(2) asks for the effective uid; the real one, by which that user
    could signal us, stays root's.
    """
    try:
        send()
    except PermissionError as refused:
        ours = os.geteuid()
        try:
            os.seteuid(syscalls.owner(pid))
        except OSError:  # not root, no CAP_SETUID, or /proc does not tell
            raise refused from None
        try:
            send()
        finally:
            os.seteuid(ours)
            syscalls.die_with_parent()
