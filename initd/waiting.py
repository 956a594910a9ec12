"""Waiting for children: who has ended, and how; wait(2), waitid(2), wait4(2).

Law of this file: as syscalls.py's, one function per kernel fact. None of it is needed before main.
"""

from __future__ import annotations

import errno
import posix as os

from initd.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from resource import struct_rusage

    Ended = tuple[int, int] | tuple[int, int, struct_rusage]  # pid, raw status, and what was used

# The question whether anybody has ended; nobody is reaped by it.
_ANYBODY = (os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)


@record
class Reaped:
    """One child: the raw status, CPU seconds and the largest resident set in bytes, where it was asked."""

    pid: int
    status: int
    cpu_seconds: float | None = None
    max_resident_bytes: int | None = None


def refusal() -> int:
    """The errno with which waitid(2) answers now: 0; ECHILD, there is no child; or another's, a filter's."""
    try:
        os.waitid(*_ANYBODY)
    except OSError as error:
        return error.errno or 0
    return 0


def has_children() -> bool:
    """Is there any child left, alive or not reaped? Where waitid(2) is refused there may be."""
    return refusal() != errno.ECHILD


def can_peek() -> bool:
    """Does waitid(2) answer at all? A filter may refuse it; wait4(2) is then left."""
    return refusal() in (0, errno.ECHILD)


def peek() -> int | None:
    """The pid of a child that has ended and is not reaped yet, left as it is; waitid(2), WNOWAIT."""
    try:
        found = os.waitid(*_ANYBODY)
    except ChildProcessError:
        return None
    return found.si_pid if found is not None else None


def reap(pid: int) -> Reaped | None:
    """Reap this child, if it has ended."""
    try:
        found = os.wait4(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return used(*found) if found[0] else None


def used(pid: int, status: int, usage: struct_rusage | None = None) -> Reaped:
    """The same in our units."""
    if usage is None:
        return Reaped(pid, status)
    return Reaped(pid, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def reap_some_with_usage(most: int) -> list[Ended]:
    """Reap so many of those that have ended, whoever they are; wait4(2)."""
    return _some(most, os.wait4)


def reap_some(most: int) -> list[Ended]:
    """The same without asking what they used, at four fifths of the price; waitpid(2)."""
    return _some(most, os.waitpid)


def _some(most: int, wait: Callable[[int, int], Ended]) -> list[Ended]:
    found: list[Ended] = []
    add, flag = found.append, os.WNOHANG
    try:
        for _ in range(most):
            one = wait(-1, flag)
            if not one[0]:
                break
            add(one)
    except ChildProcessError:
        pass  # there was no other child
    return found
