"""What the kernel says of processes, seen from outside their PID namespace.

Law of this file: it only reads /proc. Pids are the host's unless a name says ``inner``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from initd.procfs import parse_stat, parse_status, signals_in

PROC = Path("/proc")


def children(pid: int) -> list[int]:
    """The children of all threads of ``pid``; none when it is gone."""
    found: list[int] = []
    try:
        for task in (PROC / str(pid) / "task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except (FileNotFoundError, ProcessLookupError):
        return found
    return found


def descendants(pid: int) -> Iterator[int]:
    """Everything below ``pid``, zombies too."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def status(pid: int) -> dict[str, str]:
    """/proc/PID/status; empty when the process is gone."""
    try:
        return parse_status((PROC / str(pid) / "status").read_bytes())
    except (FileNotFoundError, ProcessLookupError):
        return {}


def inner(pid: int) -> int | None:
    """The pid that ``pid`` has in its own, innermost namespace."""
    line = status(pid).get("NSpid")
    return int(line.split()[-1]) if line else None


def state(pid: int) -> str:
    """The state letter of ``pid``, or an empty text when it is gone."""
    try:
        return parse_stat((PROC / str(pid) / "stat").read_bytes()).state
    except (FileNotFoundError, ProcessLookupError):
        return ""


def name(pid: int) -> str:
    """The name of ``pid``, or an empty text when it is gone."""
    try:
        return parse_stat((PROC / str(pid) / "stat").read_bytes()).name
    except (FileNotFoundError, ProcessLookupError):
        return ""


def program(pid: int) -> str:
    """The file name of the program that ``pid`` runs, or an empty text when that cannot be told."""
    try:
        return (PROC / str(pid) / "exe").readlink().name
    except (FileNotFoundError, ProcessLookupError):
        return ""


def listens_to(pid: int, number: int) -> bool:
    """Whether signal ``number`` would not be lost on ``pid``: it is blocked or has a handler."""
    seen = status(pid)
    return any(number in signals_in(seen.get(mask, "0")) for mask in ("SigBlk", "SigCgt"))


def has_pending(pid: int, number: int) -> bool:
    """Whether signal ``number`` has been sent to ``pid`` and waits there."""
    seen = status(pid)
    return any(number in signals_in(seen.get(mask, "0")) for mask in ("SigPnd", "ShdPnd"))


def session(pid: int) -> int:
    """The id of its session, as its own namespace numbers it."""
    return int(status(pid)["NSsid"].split()[-1])
