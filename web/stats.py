"""The stat files of processes: as many as there is room for stay open from one look to the next.

Law of this file: a line is read when it is asked for; only finding and opening its file is saved, 4 of 7 µs.
An open file is of one process for good: once that is reaped it cannot be read, whoever has its pid by then.
"""

from __future__ import annotations

from web.limits import KEPT
from web.slurp import Kept


class Stats(Kept):
    """Those below ``proc``, by pid."""

    def __init__(self, proc: str) -> None:
        super().__init__(KEPT)
        self._proc = proc

    def path(self, name: str) -> str:
        return f"{self._proc}/{name}/stat"
