"""The stat files of processes: as many as there is room for stay open from one look to the next.

Law of this file: a line is read when it is asked for; only finding and opening its file is saved, 4 of 7 µs.
An open file is of one process for good: once that is reaped it cannot be read, whoever has its pid by then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from web.limits import KEPT
from web.slurp import slurp

_BYTES = 4_096  # a line has 52 numbers; 2,048 would be enough


class Stats:
    """Those below ``proc``. For one thread."""

    def __init__(self, proc: str) -> None:
        self._proc = proc
        self._open: dict[str, int] = {}

    def read(self, pid: str) -> bytes:
        """The line of a process. Raises OSError."""
        fd = self._open.get(pid)
        if fd is not None:
            try:
                return os.pread(fd, _BYTES, 0)
            except ProcessLookupError:
                os.close(self._open.pop(pid))
        path = f"{self._proc}/{pid}/stat"
        if len(self._open) >= KEPT:
            return slurp(path)
        fd = self._open[pid] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(fd, _BYTES, 0)

    def forget_all_but(self, living: Iterable[str]) -> None:
        """Close the files of all others."""
        for pid in self._open.keys() - living:
            os.close(self._open.pop(pid))
