"""Parse /proc/PID/stat, status and children: bytes in, values out. Pure; proc_pid_stat(5).

Names are arbitrary bytes: a name may hold spaces, parentheses and newlines, so ``stat`` is cut
at its *last* ``)``. Bytes that are not UTF-8 are shown as ``\\xNN``, so that JSON can carry them.
"""

from __future__ import annotations

_USED = 22  # fields after the name; proc_pid_stat(5) has 50

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Stat(NamedTuple):
        """What we use of one process' stat line. Times in clock ticks, memory in bytes and pages."""

        pid: int
        name: str
        state: str  # one letter; model.PROCESS_STATES has our words
        ppid: int
        pgrp: int
        session: int
        tty: int
        utime: int
        stime: int
        threads: int
        starttime: int  # ticks after boot
        vsize: int
        rss: int  # pages
        waited: int = 0  # user and system time of the children that it has waited for
else:
    from _collections import _tuplegetter

    _FIELDS = (
        "pid", "name", "state", "ppid", "pgrp", "session", "tty",
        "utime", "stime", "threads", "starttime", "vsize", "rss", "waited",
    )  # fmt: skip

    class Stat(tuple):
        """What collections.namedtuple would make; that costs PID 1 half a megabyte and 5 ms to import."""

        __slots__ = ()
        __match_args__ = _FIELDS

        def __new__(cls, *values, waited=0):
            return tuple.__new__(cls, values if len(values) == len(_FIELDS) else (*values, waited))

        def _replace(self, **changes):
            return Stat(*(changes.get(name, value) for name, value in zip(_FIELDS, self, strict=True)))

    for _index, _name in enumerate(_FIELDS):
        setattr(Stat, _name, _tuplegetter(_index, _name))


def decode_name(raw: bytes) -> str:
    """A process name as text: UTF-8, and ``\\xNN`` for what is not."""
    return raw.decode("utf-8", "backslashreplace")


def parse_stat(raw: bytes) -> Stat:
    """One line of /proc/PID/stat. Raises ValueError when it is not one."""
    opening = raw.find(b" (")
    closing = raw.rfind(b") ")
    if opening < 1 or closing < opening + 2:
        raise ValueError("cannot read stat: no name in parentheses")
    f = raw[closing + 2 :].split(None, _USED)  # what follows is not looked at
    if len(f) < _USED:
        raise ValueError(f"cannot read stat: {len(f)} fields after the name")
    return Stat(
        int(raw[:opening]),
        decode_name(raw[opening + 2 : closing]),
        f[0].decode("ascii", "replace"),
        int(f[1]),
        int(f[2]),
        int(f[3]),
        int(f[4]),
        int(f[11]),
        int(f[12]),
        int(f[17]),
        int(f[19]),
        int(f[20]),
        int(f[21]),
        int(f[13]) + int(f[14]),
    )


def parse_children(raw: bytes) -> tuple[int, ...]:
    """/proc/PID/task/TID/children: the pids, in the kernel's order. Raises ValueError."""
    return tuple(map(int, raw.split()))


def parse_status(raw: bytes) -> dict[str, str]:
    """/proc/PID/status as ``{"SigIgn": "0000000000001000", …}``; lines of another form are left out."""
    pairs = (line.split(b":", 1) for line in raw.split(b"\n") if b":" in line)
    return {decode_name(key): decode_name(value.strip()) for key, value in pairs}


def signals_in(mask: str) -> frozenset[int]:
    """The signal numbers in a hexadecimal mask of status: bit 0 is signal 1. Raises ValueError."""
    bits = int(mask, 16)
    return frozenset(number for number in range(1, 65) if bits >> (number - 1) & 1)
