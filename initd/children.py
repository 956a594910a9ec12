"""Whose child was that: ownership, adoption, and what a death is worth saying. Pure.

Law of this file: ownership is decided before anything is said of an exit, because an orphan may
end with a pid that main had an hour ago.
"""

from __future__ import annotations

from initd.books import SWEEPING, WAITING, Books, describe
from initd.effects import Look
from initd.endings import as_fields, in_words
from initd.helpers import Helpers
from initd.inputs import BatchReaped, Child, ChildEnded, ChildrenListed, OrphansReaped
from initd.model import HEALTH_EXEC, READY_EXEC, TLS_CHECK
from initd.orphans import Orphans
from initd.sparekeeper import SpareKeeper
from initd.supervisor import Supervisor
from initd.webkeeper import WebKeeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from initd.unit import Unit

_CHECKS = (READY_EXEC, HEALTH_EXEC, TLS_CHECK)
# The slow tick that finds adopted children. web sees one within a second and says so, so where all is quiet
# we only look in case it does not: a wake-up costs more than all else that we do at rest.
_LOOK_EVERY, _AT_REST = 1.0, 5.0
_TELL = 0.1  # a storm is told this often
_LOOK_APART = 0.05  # after a batch: a storm must not list thousands of children for each exit


class Children:
    """Everything the kernel tells of our children goes through here."""

    def __init__(
        self,
        books: Books,
        supervisor: Supervisor,
        web: WebKeeper,
        orphans: Orphans,
        helpers: Helpers,
        spares: SpareKeeper,
    ) -> None:
        self.books, self.supervisor, self.web = books, supervisor, web
        self.orphans, self.helpers, self.spares = orphans, helpers, spares
        self._looked = -1.0
        self._pace = _LOOK_EVERY  # until the next look; twice as long after each that shows nothing new
        self._untold = (0, 0, 0)  # orphans that exited, and died of a signal, without an event; one's pid
        self._storm = False  # of the present batch some were only counted
        self._end_of_main: ChildEnded | None = None  # kept until a look was made

    def ended(self, end: ChildEnded) -> None:
        """One child was reaped."""
        books = self.books
        origin = books.origin(end.process.pid)
        owner = books.owner(end.process.pid)
        if owner is books.main:
            self.tell_untold()
        if owner is not None and end.name is None:
            end = self._recognized(end, owner)
        process = describe(end.process, end.name)
        if origin == "adopted":
            self._orphan_ended(end, process)
        books.ledger.count_reap(origin, end.status.outcome)
        if books.helpers.get(end.process.pid) not in _CHECKS:  # one a second would push out all else
            self._tell(end, process, origin)
        books.lineage.over(end.process.pid)
        books.former_mains.discard(end.process.pid)
        if books.ledger.adopted.pop(end.process.pid, None) is not None:  # main's successor, adopted once
            books.lineage.ended(end.process.pid, end.lifetime_seconds)
        if owner is books.main:
            self._main_ended(end)
        elif owner is books.web:
            self.web.ended(end)
        elif end.process.pid == books.spare:
            self.spares.gone()
        elif origin == "helper":
            self.helpers.ended(end)

    def _recognized(self, end: ChildEnded, owner: Unit) -> ChildEnded:
        """In a storm, or without /proc, nobody looked at the zombie; but we know who had this pid."""
        name = self.books.main_name if owner is self.books.main else "initd-web"
        lived = round(self.books.now - owner.since, 2)
        used = (lived, end.cpu_seconds, end.max_resident_bytes, end.output, end.elders, end.oom_kills)
        return ChildEnded(owner.process or end.process, name, end.status, *used)

    def _tell(self, end: ChildEnded, process: dict[str, Any], origin: str) -> None:
        self.books.record(
            "reaped",
            process=process,
            **as_fields(end.status),
            origin=origin,
            lifetime_seconds=end.lifetime_seconds,
            cpu_seconds=end.cpu_seconds,
            max_resident_bytes=end.max_resident_bytes,
        )

    def _main_ended(self, end: ChildEnded) -> None:
        """Where it named a successor, that one may be our child by now: a look will tell."""
        if self.books.told.successor is None:
            self.supervisor.ended(end)
            return
        self._end_of_main = end
        self.books.emit(Look())

    def _orphan_ended(self, end: ChildEnded, process: dict[str, Any]) -> None:
        books = self.books
        self._stir()
        if books.ledger.met_dead(end.process):
            self._adopted(process, end, "dead")
        books.lineage.ended(end.process.pid, end.lifetime_seconds)
        if end.lifetime_seconds is not None:
            books.ledger.adopted_lifetime.observe(end.lifetime_seconds)
        if books.config.warn_on_reap:
            words = in_words(end.status)
            books.log("warning", f"reaped orphan {end.name} (pid {end.process.pid}): {words}")

    def _adopted(self, described: dict[str, Any], child: Child | ChildEnded, seen: str) -> None:
        origin = self.books.lineage.adopted(child.process, child.elders)
        self.books.record(
            "adopted",
            process=described,
            former_parent=origin.parent,
            how=origin.how,
            why=origin.why,
            seen=seen,
        )

    def orphans_reaped(self, reaped: OrphansReaped) -> None:
        """Too many to look at each: they are counted, and one event stands for all: ``process`` is one."""
        books, ledger, count = self.books, self.books.ledger, len(reaped.pids)
        self._storm = True
        self._stir()
        ledger.met_many_dead(reaped.pids)
        books.lineage.many_ended(reaped.pids)
        exited = count - reaped.signaled
        ledger.count_reap("adopted", "exited", exited)
        ledger.count_reap("adopted", "signaled", reaped.signaled)
        self._untold = (self._untold[0] + exited, self._untold[1] + reaped.signaled, reaped.pids[-1])
        books.timers.setdefault("untold", books.now + _TELL)

    def tell_untold(self) -> None:
        """One event for all that were only counted in the last tenth of a second."""
        self.books.cancel("untold")
        (exited, signaled, last), self._untold = self._untold, (0, 0, 0)
        if last:
            counts = {"count": exited + signaled, "exited": exited, "signaled": signaled}
            one = {"id": None, "pid": last, "name": None}
            self.books.record("reaped", process=one, origin="adopted", **counts)

    def batch_reaped(self, batch: BatchReaped) -> None:
        """There is no more to reap: the moment to look who is left."""
        books = self.books
        books.ledger.reap_batch.observe(batch.seconds)
        self.web.hurry()
        if books.phase == SWEEPING:
            books.sweep(0)
        elif books.phase == WAITING or self._may_look():
            books.emit(Look())
        self._storm = False

    def _may_look(self) -> bool:
        """Not in a storm, whose end or the slow tick will do."""
        apart = self.books.now - self._looked >= _LOOK_APART
        return "look" in self.books.timers and apart and not self._storm

    def listed(self, listing: ChildrenListed) -> None:
        """Strangers among our children are adopted; one that is dead already is counted at its reap."""
        books = self.books
        self._looked = books.now
        books.open_fds = listing.open_fds or books.open_fds
        books.count_oom(listing.oom_kills)
        for child in listing.children:
            pid = child.process.pid
            if child.zombie or books.origin(pid) != "adopted":
                continue
            if books.ledger.met_alive(child.process):
                self._stir()
                self._adopted(describe(child.process, child.name), child, "alive")
                self.orphans.met(child)
        books.lineage.looked()

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
            self.supervisor.ended(ended)

    def look(self) -> None:
        """The slow tick."""
        books = self.books
        resting = books.attached and not books.config.kill_orphans
        self._pace = min(2 * self._pace, _AT_REST) if resting else _LOOK_EVERY
        books.after("look", self._pace)
        books.emit(Look())
        self.web.tick(self._pace)

    def _stir(self) -> None:
        """Orphans come or go: there may be more."""
        self._pace = _LOOK_EVERY
        if (due := self.books.timers.get("look")) is not None:
            self.books.timers["look"] = min(due, self.books.now + _LOOK_EVERY)
