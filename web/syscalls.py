"""System calls that Python has no function for, by libc's ``prctl`` and ``syscall``.

Law of this file: one call, one answer, OSError where it is refused. What they are for is known elsewhere.
"""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, *values: int) -> int:
    """prctl(2). Raises OSError."""
    four = [*values, 0, 0, 0, 0][:4]
    return _checked(libc.prctl(option, *map(ctypes.c_ulong, four)))


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """syscall(2); bytes are passed by their address. Raises OSError."""
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return _checked(libc.syscall(ctypes.c_long(number), *words))


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer
