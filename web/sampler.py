"""Snapshots of /proc, taken on demand by one thread that is started at boot.

Law of this file: nothing is looked at unless someone asks, and nobody is served what was read
before he asked. Several who ask while a scan is still waiting for its turn share that one; who asks
while one runs gets the next. The thread is started once: under pids.max a later one would fail.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from initd.procfs import Stat, parse_stat
from initd.wire import rfc3339
from web.problem import Problem
from web.say import say
from web.slurp import slurp
from web.stats import Stats
from web.tree import Reference, ident, state_word

T = TypeVar("T")

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
_SWITCH_SECONDS = 0.0005  # see Sampler.start


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


class _Job(Generic[T]):
    """A question for the thread. ``begun`` is set by the thread before it looks at anything."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[T] = self.loop.create_future()
        self.begun = False

    def run(self) -> None:
        self.begun = True
        try:
            answer, error = self.work(), None
        except Exception as problem:  # noqa: BLE001  it belongs to whoever awaits, as with any call
            answer, error = None, problem
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody awaits any more
            self.loop.call_soon_threadsafe(self._settle, answer, error)

    def _settle(self, answer: Any, error: Exception | None) -> None:
        if self.answer.done():  # cancelled by the only one who asked
            return
        if error is None:
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(error)


class Sampler:
    """The one reader of /proc. ``start`` before the first request; everything else is awaited."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._stats = Stats(proc)
        # Not btime of /proc/stat: that is cut to a second, and would let a process start before its cause.
        self._boot = _boot_time()
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._next: _Job[Snapshot] | None = None
        self.errors = dict.fromkeys(ERRORS, 0)

    def start(self) -> None:
        """Start the thread, or say that there will be none and every scan holds up the server.

        The event loop must get the interpreter back quickly: with Python's default of 5 ms a probe waits
        that long each time it has let go of it, beside the tree of 2,000 processes 10 ms at p99, not 5.
        """
        sys.setswitchinterval(_SWITCH_SECONDS)
        thread = threading.Thread(target=self._work, name="sampler", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            say(
                f"cannot start the thread that reads /proc ({error}): probes will wait for each scan; "
                "raise the limit of processes"
            )
        else:
            self._thread = thread

    def stop(self) -> None:
        """End the thread after what it has already been asked."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
        self._stats.forget_all_but(())

    async def run(self, work: Callable[[], T]) -> T:
        """``work()`` on the sampler's thread."""
        job = _Job(work)
        self._put(job)
        return await job.answer

    async def snapshot(self) -> Snapshot:
        """All processes, read after this call. Raises Problem when /proc cannot be listed at all."""
        job = self._next
        if job is None or job.begun:
            job = self._next = _Job(self.scan)
            # One whose client left must not take the answer from the others, nor leave a warning.
            job.answer.add_done_callback(lambda answer: answer.cancelled() or answer.exception())
            self._put(job)
        return await asyncio.shield(job.answer)

    def _put(self, job: _Job[Any]) -> None:
        if self._thread is None:
            job.run()
        else:
            self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()

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
