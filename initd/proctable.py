"""What PID 1 itself reads of /proc: its children, who is below whom, and how a child ended.

Law of this file: reading only; a process may vanish between two reads, and then it is not there.
"""

from __future__ import annotations

import posix as os
from itertools import chain, islice

from initd import descriptors, procfs, room, signals, syscalls, waiting
from initd.inputs import Child, ChildEnded, ChildrenListed, Elder
from initd.model import ExitStatus, ProcessId

_KILL = signals.NUMBERS["KILL"]
_AT_ONCE = 1_000  # strangers looked at in one look: 10 ms
_HIGHEST = 500  # generations that are looked up: 5 ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from initd.procfs import Stat


def stat_of(pid: int) -> Stat | None:
    """What /proc says of it; None when it has gone, or cannot be read."""
    try:
        return procfs.parse_stat(syscalls.read_stat(pid))
    except (OSError, ValueError):
        return None


def name_of(pid: int) -> str | None:
    """Its name; None for 0, which is the kernel or someone outside our namespace."""
    stat = stat_of(pid) if pid > 0 else None
    return stat.name if stat is not None else None


def identify(pid: int) -> ProcessId:
    """The process that has this pid now; start time 0 where /proc does not say."""
    stat = stat_of(pid)
    return ProcessId(pid, stat.starttime if stat is not None else 0)


def everyone() -> list[Stat]:
    """All that /proc shows; nobody where there is no /proc."""
    try:
        pids = syscalls.all_pids()
    except OSError:
        return []
    return [stat for stat in map(stat_of, pids) if stat is not None]


def children(known: Callable[[int], bool], *, fds: bool) -> ChildrenListed:
    """Our children now, but those that are known: until we reap it, a child's pid can be nobody else's.

    So a tick costs one read however many there are. In a storm most strangers are zombies that will be
    reaped in a moment; more than a share of them is left to the next look.
    """
    strangers = (pid for pid in _child_pids() if not known(pid))
    stats = [stat for stat in map(stat_of, islice(strangers, _AT_ONCE)) if stat is not None]
    leaders: dict[int, Elder | None] = {}  # thousands of strangers are of few groups
    found = tuple(
        Child(
            ProcessId(stat.pid, stat.starttime),
            stat.name,
            stat.state == "Z",
            () if stat.state == "Z" else elders(stat, (), leaders),
        )
        for stat in stats
    )
    return ChildrenListed(found, descriptors.count_descriptors() if fds else None, room.oom_kills())


def elders(stat: Stat, living: Container[int], looked: dict[int, Elder | None]) -> tuple[Elder, ...]:
    """The leaders of its group and session that have ended; who is known to live need not be looked at.

    ``looked`` holds those that were looked at a moment ago, and gets the others.
    """
    found = []
    for pid in dict.fromkeys((stat.pgrp, stat.session)):
        if pid in (0, stat.pid) or pid in living:
            continue
        if pid not in looked:
            looked[pid] = _elder(pid)
        found.append(looked[pid])
    return tuple(elder for elder in found if elder is not None)


def _elder(pid: int) -> Elder | None:
    stat = stat_of(pid)
    if stat is None:
        return Elder(pid)
    return Elder(pid, stat.starttime, stat.name) if stat.state in "ZX" else None


def _child_pids() -> tuple[int, ...]:
    try:
        return procfs.parse_children(syscalls.read_children())
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        ourselves = os.getpid()
        return tuple(stat.pid for stat in everyone() if stat.ppid == ourselves)


def ancestors(pid: int) -> Iterator[int]:
    """Its parent, that one's parent, and so on: one read for each, however many processes there are.

    The way up is bounded: a pid that is used again meanwhile may make a circle of it, and a chain that
    somebody made for it takes our time.
    """
    for _ in range(_HIGHEST):
        stat = stat_of(pid)
        if stat is None or stat.ppid <= 0:
            return
        pid = stat.ppid
        yield pid


def root_of(pid: int, main: int | None, adopted: Container[int]) -> int | None:
    """Main, or the orphan that was adopted by us: whichever it is or is below; None for strangers."""
    if main is None or pid <= 0:
        return None
    for each in chain((pid,), ancestors(pid)):
        if each == main or each in adopted:
            return each
    return None


def speaks_for_main(pid: int, uid: int, main: int | None, adopted: Container[int]) -> bool:
    """Main and whoever is below it, or an orphan, since main's daemons are adopted by us, and are main's.

    But so are those of a stranger who came in by docker exec. So an orphan is only believed where its user
    could harm main anyway. ``uid`` has to be the kernel's word on the sender, not a look at /proc: it may
    have become a set-uid program since.
    """
    root = root_of(pid, main, adopted)
    if root is None or main is None:
        return False
    return root == main or uid in (0, os.getuid()) or uid == _owner(main)


def _owner(pid: int) -> int | None:
    try:
        return syscalls.owner(pid)
    except (OSError, ValueError, IndexError):
        return None


def left_over(role: str, spared: set[int]) -> list[int]:
    """Whom a sweep would have to end: as PID 1 the whole namespace, else what is below us."""
    stats = everyone()
    living = [stat.pid for stat in stats if stat.state not in "ZX" and stat.pid not in spared]
    if role == "pid1":
        return living
    above = {stat.pid: stat.ppid for stat in stats}
    return [pid for pid in living if _is_below_us(pid, above)]


def _is_below_us(pid: int, parents: dict[int, int]) -> bool:
    """By a listing of everybody. A torn one may hold a circle, so the way up is bounded."""
    for _ in range(len(parents) + 1):
        pid = parents.get(pid, 0)
        if pid == os.getpid():
            return True
        if pid <= 1:
            return False
    return False


def describe_end(
    reaped: waiting.Reaped, stat: Stat | None, output: str | None, elders: tuple[Elder, ...]
) -> ChildEnded:
    """A reaped child, with what its zombie still had to say, and what it had printed as a check of ours."""
    status = _exit_status(reaped.status)
    lifetime = None
    if stat is not None:
        lifetime = round(max(0.0, syscalls.boot_clock() - stat.starttime / syscalls.TICKS_PER_SECOND), 2)
    return ChildEnded(
        ProcessId(reaped.pid, stat.starttime if stat is not None else 0),
        stat.name if stat is not None else None,
        status,
        lifetime,
        None if reaped.cpu_seconds is None else round(reaped.cpu_seconds, 6),
        reaped.max_resident_bytes,
        output,
        elders,
        room.oom_kills() if status.signal == _KILL else None,
    )


def bare_end(reaped: waiting.Reaped) -> ChildEnded:
    """The same without a look at anything."""
    status = _exit_status(reaped.status)
    return ChildEnded(ProcessId(reaped.pid, 0), None, status, None, None, None)


def _exit_status(status: int) -> ExitStatus:
    """wait(2)'s word for it."""
    if os.WIFSIGNALED(status):
        return ExitStatus(None, os.WTERMSIG(status), os.WCOREDUMP(status))
    return ExitStatus(os.WEXITSTATUS(status), None)
