"""The kernel's small files: what they hold at one moment, by as few system calls as may be.

Law of this file: no more than that. ``open`` makes seven calls and four objects, which takes twice the time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from web.limits import KEPT

_PAGE = 4_096  # bytes: twice as much as the longest line of stat


def slurp(path: str, most: int = _PAGE) -> bytes:
    """What ``path`` begins with. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)


class Kept:
    """Files that stay open from one reading to the next, as many as there is ``room`` for. For one thread.

    Only for the kernel's own files, whose text is made when it is read: finding and opening them is saved.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self.files: dict[str, int] = {}  # descriptors by name

    def path(self, name: str) -> str:
        """Where the file of this name is."""
        return name

    def read(self, name: str, most: int = _PAGE) -> bytes:
        """What it says now. Raises OSError."""
        fd = self.files.get(name)
        if fd is not None:
            try:
                return os.pread(fd, most, 0)
            except OSError:  # what it told of is gone; by the same name there may be another
                os.close(self.files.pop(name))
        if len(self.files) >= self._room:
            return slurp(self.path(name), most)
        fd = self.files[name] = os.open(self.path(name), os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(fd, most, 0)

    def forget_all_but(self, names: Iterable[str]) -> None:
        """Close the files of all others."""
        for name in self.files.keys() - names:
            os.close(self.files.pop(name))


# Where descriptors are not few: one control group's files and the kernel's limits are twenty.
_MOST = 32 if KEPT else 0
_kept = Kept(_MOST)


def reread(path: str, most: int = _PAGE) -> bytes:
    """As ``slurp``, of one of the few files that are read again and again. Raises OSError."""
    if len(_kept.files) >= _MOST and path not in _kept.files:
        _kept.forget_all_but(())  # most are of a control group that we were in before
    return _kept.read(path, most)
