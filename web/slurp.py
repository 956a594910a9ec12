"""The kernel's small files: what they hold at one moment, by as few system calls as may be.

Law of this file: no more than that. ``open`` makes seven calls and four objects, which takes twice the time.
"""

from __future__ import annotations

import os

from web.limits import KEPT

_PAGE = 4_096  # bytes: twice as much as the longest line of stat
# Files that stay open, where descriptors are not few: one control group's and the kernel's limits are twenty.
_MOST = 32 if KEPT else 0
_kept: dict[str, int] = {}


def slurp(path: str, most: int = _PAGE) -> bytes:
    """What ``path`` begins with. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)


def reread(path: str, most: int = _PAGE) -> bytes:
    """The same of a file that is read again and again: it stays open, which saves half of the time.

    Only for the kernel's own files, whose text is made when it is read. Raises OSError.
    """
    fd = _kept.get(path)
    if fd is not None:
        try:
            return os.pread(fd, most, 0)
        except OSError:  # what it told of is gone; by the same name there may be another
            os.close(_kept.pop(path))
    if not _MOST:
        return slurp(path, most)
    if len(_kept) >= _MOST:  # of the group that we were in before
        os.close(_kept.pop(next(iter(_kept))))
    fd = _kept[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return os.pread(fd, most, 0)
