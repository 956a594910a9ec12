"""A process kept in hand for web: forked while there is room, and web when no other can be made.

Law of this file: making, waking and leaving it; when is sparekeeper.py's. A full house takes every slot that
frees, and web's own is the first to go when web dies, so the slot has to be taken before.
"""

from __future__ import annotations

import _socket
import posix as os
import sys

from initd import descriptors, plans, spawning, syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn

_FD = 4  # bytes of a descriptor in a control message; cmsg(3)


class Spare:
    """At most one. It ends when our end of its line is closed, and so at our death."""

    def __init__(self, listening: Iterable[int]) -> None:
        self.pid = 0
        self._listening = frozenset(listening)
        self._line: _socket.socket | None = None

    def park(self) -> int:
        """Fork one, in the place of one that is gone; its pid, or 0 when there is no room."""
        self.dismiss()
        try:
            ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        except OSError:
            return 0
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            return 0
        if pid == 0:
            _wait(theirs, self._listening)
        theirs.close()
        self.pid, self._line = pid, ours
        return pid

    def use(self, letterbox: int) -> int:
        """It becomes web, with this letterbox; its pid. 0: there is none, or it has died."""
        line, self._line = self._line, None
        if line is None:
            return 0
        rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, letterbox.to_bytes(_FD, sys.byteorder))]
        try:
            line.sendmsg([b"!"], rights, _socket.MSG_NOSIGNAL)
        except OSError:
            return 0
        finally:
            line.close()
        return self.pid

    def dismiss(self) -> None:
        """It ends, if it still waits."""
        line, self._line = self._line, None
        if line is not None:
            line.close()


def _wait(line: _socket.socket, listening: frozenset[int]) -> NoReturn:
    """Never returns: this is the child, parked with nothing open but what web needs."""
    try:
        kept = {line.fileno(), descriptors.log, *listening}
        for fd in plans.open_descriptors():
            if fd > 2 and fd not in kept:
                _close(fd)
        syscalls.name_self(b"initd-spare")
        plans.first_to_go()
        _, rights, _, _ = line.recvmsg(1, _socket.CMSG_SPACE(_FD))
        if rights:
            plan = plans.web_plan(int.from_bytes(rights[0][2], sys.byteorder), listening)
            for _, step in plan.steps:
                step()
            spawning.execute(plan)
    finally:
        os._exit(0)


def _close(fd: int) -> None:
    try:
        os.close(fd)
    except OSError:  # the listing's own
        return
