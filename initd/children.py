"""Whose child was that: ownership, adoption, and what a death is worth saying. Pure.

Law of this file: ownership is decided before anything is said of an exit, because an orphan may
end with a pid that main had an hour ago.
"""

from __future__ import annotations

from initd import signals
from initd.books import SWEEPING, WAITING, Books, describe
from initd.model import MAIN, BatchReaped, ChildEnded, ChildrenListed, ExitStatus, Look, Sweep
from initd.orphans import Orphans
from initd.supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LOOK_EVERY = 1.0  # the slow tick that finds adopted children; an adoption's time is as fine as this
_LOOK_APART = 0.05  # after a batch: a storm must not list thousands of children for each exit


class Children:
    """Everything the kernel tells of our children goes through here."""

    def __init__(self, books: Books, supervisor: Supervisor, orphans: Orphans) -> None:
        self.books, self.supervisor, self.orphans = books, supervisor, orphans
        self._looked = -1.0
        self._end_of_main: tuple[ChildEnded, dict[str, Any]] | None = None  # kept until a look was made

    def ended(self, end: ChildEnded) -> None:
        """One child was reaped."""
        books = self.books
        owner = books.owner(end.process.pid)
        former = end.process.pid in books.former_mains
        process = describe(end.process, end.name)
        ending = {"process": process, **_ending(end.status)}
        if owner is None and not former:
            self._orphan_ended(end, process)
        origin = owner.name if owner is not None else MAIN if former else "adopted"
        books.ledger.count_reap(origin, end.status.outcome)
        books.record(
            "reaped",
            **ending,
            origin=origin,
            lifetime_seconds=end.lifetime_seconds,
            cpu_seconds=end.cpu_seconds,
            max_resident_bytes=end.max_resident_bytes,
        )
        books.former_mains.discard(end.process.pid)
        books.ledger.adopted.pop(end.process.pid, None)  # a successor of main was adopted once
        if owner is books.main:
            self._main_ended(end, ending)
        elif owner is books.web:
            self.supervisor.web_ended(end, ending, in_words(end.status))

    def _main_ended(self, end: ChildEnded, ending: dict[str, Any]) -> None:
        """Where it named a successor, that one may be our child by now: a look will tell."""
        if self.books.told.successor is None:
            self.supervisor.main_ended(end, ending, in_words(end.status))
            return
        self._end_of_main = end, ending
        self.books.emit(Look())

    def _orphan_ended(self, end: ChildEnded, process: dict[str, Any]) -> None:
        books = self.books
        if books.ledger.met_dead(end.process):
            books.record("adopted", process=process, former_parent=None, seen="dead")
        if end.lifetime_seconds is not None:
            books.ledger.adopted_lifetime.observe(end.lifetime_seconds)
        if books.config.warn_on_reap:
            words = in_words(end.status)
            books.log("warning", f"reaped orphan {end.name} (pid {end.process.pid}): {words}")

    def batch_reaped(self, batch: BatchReaped) -> None:
        """There is no more to reap: the moment to look who is left."""
        books = self.books
        books.ledger.reap_batch.observe(batch.seconds)
        if books.phase == SWEEPING:
            books.emit(Sweep(0))
        elif books.phase == WAITING or ("look" in books.timers and books.now - self._looked >= _LOOK_APART):
            books.emit(Look())

    def listed(self, listing: ChildrenListed) -> None:
        """Strangers among our children are adopted; one that is dead already is counted at its reap."""
        books = self.books
        self._looked = books.now
        books.open_fds = listing.open_fds
        for child in listing.children:
            pid = child.process.pid
            if child.zombie or pid in books.former_mains or books.owner(pid) is not None:
                continue
            if books.ledger.met_alive(child.process):
                process = describe(child.process, child.name)
                books.record("adopted", process=process, former_parent=None, seen="alive")
                self.orphans.met(child)

    def succeed(self, listing: ChildrenListed) -> None:
        """MAINPID: the named one becomes main once it is our child; before that only its parent can wait."""
        books, ended = self.books, self._end_of_main
        named, self._end_of_main = books.told.successor, None
        if named is None:
            return
        living = [child.process for child in listing.children if not child.zombie]
        if named in living or books.ledger.adopted.get(named.pid) == named.starttime:
            if ended is None and books.main.process is not None:
                books.former_mains.add(books.main.process.pid)
            books.told.successor = None
            books.main.succeed(named)
            books.record("main.started", process=describe(named, books.main_name), restarts=books.restarts)
        elif ended is not None:
            books.told.successor = None
            self.supervisor.main_ended(*ended, in_words(ended[0].status))

    def look(self) -> None:
        """The slow tick."""
        self.books.after("look", _LOOK_EVERY)
        self.books.emit(Look())


def _ending(status: ExitStatus) -> dict[str, Any]:
    """Exit code or signal name, as JSON says it; the other one is null."""
    return {"code": status.code, "signal": None if status.signal is None else signals.name_of(status.signal)}


def in_words(status: ExitStatus) -> str:
    """How it ended, for people."""
    if status.signal is not None:
        return f"killed by {signals.name_of(status.signal)}" + (" (core dumped)" if status.dumped else "")
    return f"exit code {status.code}"
