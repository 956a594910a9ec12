"""Snapshots of /proc, taken on demand by one thread.

Law of this file: nothing is looked at unless someone asks, and nobody is served what was read
before he asked. Several who ask while a scan is still waiting for its turn share that one; who asks
while one runs gets the next.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from dataclasses import dataclass
from typing import Any

from initd.procfs import Stat, parse_stat
from initd.wire import rfc3339
from web.problem import Problem
from web.slurp import slurp
from web.stats import Stats
from web.tree import Reference, ident, state_word
from web.worker import Job, Worker

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
ERRORS = ("denied", "malformed", "descriptors", "unlistable", "other")
_REASONS = {
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EMFILE: "descriptors",
    errno.ENFILE: "descriptors",
}
_SET_SECONDS = 1.0  # more is no drift: the clock was set. Less would move start times at each look


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All processes of one moment by pid. ``boot`` and ``taken_at`` are seconds since 1970."""

    processes: dict[int, Stat]
    boot: float
    taken_at: float
    duration: float
    errors: dict[str, int]  # since the start of web, by reason

    @property
    def count(self) -> int:
        return len(self.processes)

    @property
    def zombies(self) -> int:
        return sum(row.state == "Z" for row in self.processes.values())

    def started(self, row: Stat) -> float:
        """When the process started, in seconds since 1970."""
        return self.boot + row.starttime / TICKS

    def describe(self, row: Stat, adopted: bool, former_parent: Reference | None) -> dict[str, Any]:
        """The ``process`` of the API."""
        return {
            "id": ident(row),
            "pid": row.pid,
            "ppid": row.ppid,
            "name": row.name,
            "state": state_word(row.state),
            "adopted": adopted,
            "former_parent": former_parent,
            "started_at": rfc3339(self.started(row)),
            "threads": row.threads,
            "cpu_seconds": (row.utime + row.stime) / TICKS,
            "resident_bytes": row.rss * PAGE,
        }


class Sampler(Worker):
    """The one reader of /proc."""

    def __init__(self, proc: str = "/proc") -> None:
        super().__init__()
        self._proc = proc
        self._stats = Stats(proc)
        # Not btime of /proc/stat: that is cut to a second, and would let a process start before its cause.
        self._boot = _boot_time()
        self._awaited: Job[Snapshot] | None = None
        self.errors = dict.fromkeys(ERRORS, 0)

    def stop(self) -> None:
        """End the thread, and let go of the files."""
        super().stop()
        self._stats.forget_all_but(())

    def begin(self) -> Job[Snapshot]:
        """A look that begins after this call, and that others may share.

        Whoever asks the core meanwhile and then puts work on the thread finds it done there.
        """
        job = self._awaited
        if job is None or job.begun:
            job = self._awaited = Job(self.scan)
            self.put(job)
        return job

    async def snapshot(self) -> Snapshot:
        """All processes, read after this call. Raises Problem when /proc cannot be listed at all."""
        answer = self.begin().answer
        # One whose client left must not take the answer from the others, nor leave a warning.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(answer)

    def scan(self) -> Snapshot:
        """As ``snapshot``, for work that is on the thread already."""
        taken_at, begin = time.time(), time.perf_counter()
        if abs(_boot_time() - self._boot) > _SET_SECONDS:
            self._boot = _boot_time()
        try:
            names = [name for name in os.listdir(self._proc) if name.isdecimal()]
        except OSError as error:
            self.errors["unlistable"] += 1
            raise Problem("internal", f"cannot list {self._proc}: {error.strerror}; mount it") from None
        self._stats.forget_all_but(names)
        found = map(self._read, names)
        rows = {row.pid: row for row in found if row is not None}
        self._ask_again(rows)
        return Snapshot(rows, self._boot, taken_at, time.perf_counter() - begin, dict(self.errors))

    def _ask_again(self, rows: dict[int, Stat]) -> None:
        """Children whose parent ended during the scan have another one by now."""
        for row in [row for row in rows.values() if row.ppid and row.ppid not in rows]:
            again = self._read(str(row.pid))
            if again is None:
                del rows[row.pid]
            else:
                rows[row.pid] = again

    def _read(self, name: str) -> Stat | None:
        try:
            row = parse_stat(self._stats.read(name))
            return self._living_thread(row) if row.state == "Z" and row.threads > 1 else row
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile; not an error
            return None
        except OSError as error:
            self.errors[_REASONS.get(error.errno or 0, "other")] += 1
        except ValueError:
            self.errors["malformed"] += 1
        return None

    def _living_thread(self, row: Stat) -> Stat:
        """A leader that ended before its threads is shown as Z, and nobody can reap it: no zombie yet."""
        tasks = f"{self._proc}/{row.pid}/task"
        for name in os.listdir(tasks):
            state = parse_stat(slurp(f"{tasks}/{name}/stat")).state
            if state != "Z":
                return row._replace(state=state)
        return row


def _boot_time() -> float:
    """When the machine was started, by the clock as it is set now."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
