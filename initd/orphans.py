"""Orphans that somebody cares about: waited for, signalled too, or made to end. Pure.

Law of this file: what is done to adopted processes; that they are adopted is found out in children.py.
Asked for for years in other inits' trackers: their orphans end when the container does, and no sooner.
"""

from __future__ import annotations

from initd import signals
from initd.books import Books, describe
from initd.effects import Look, Signal
from initd.inputs import Child
from initd.model import ProcessId

KILL, TERM = signals.NUMBERS["KILL"], signals.NUMBERS["TERM"]


class Orphans:
    """--signal-orphans and --kill-orphans. (--wait-orphans is a part of the end: leaving.py.)"""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._to_send: list[int] = []  # signals that wait for a fresh list of who is there
        self._ending: dict[ProcessId, float] = {}  # told to end, and when they are killed

    def signal(self, number: int) -> None:
        """Forward to the adopted as well: to those that a look finds now, not a second ago."""
        if self.books.config.signal_orphans:
            self._to_send.append(number)
            self.books.emit(Look())

    def listed(self) -> None:
        """A look was made, and the ledger is fresh."""
        numbers, self._to_send = self._to_send, []
        for number in numbers:
            for pid in self.books.ledger.adopted:
                if self.books.origin(pid) == "adopted":  # one that main named is main by now
                    self._send(pid, number)

    def met(self, child: Child) -> None:
        """One was adopted alive. Who was there before us is no orphan of main's, nor is who main named."""
        books = self.books
        spared = (*books.init.present, books.told.successor)
        if not books.config.kill_orphans or child.process in spared:
            return
        self._send(child.process.pid, TERM)
        books.record(
            "signal.sent",
            signal="TERM",
            process=describe(child.process, child.name),
            source="orphan",
            by=None,
            outcome="sent",
        )
        self._ending[child.process] = books.now + books.config.stop_timeout
        self._arm()

    def overdue(self) -> None:
        """Some did not end in time; those that did are not in the ledger any more."""
        books = self.books
        for process, at in list(self._ending.items()):
            gone = books.ledger.adopted.get(process.pid) != process.starttime
            if gone or books.origin(process.pid) != "adopted":
                del self._ending[process]
            elif at <= books.now:
                del self._ending[process]
                self._send(process.pid, KILL)
        self._arm()

    def _arm(self) -> None:
        if self._ending:
            self.books.timers["orphans"] = min(self._ending.values())

    def _send(self, pid: int, number: int) -> None:
        self.books.emit(Signal(pid, number))
        self.books.ledger.count_signal(number, "orphan")
