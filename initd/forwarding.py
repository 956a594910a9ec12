"""Signals that reach PID 1: rewritten, held back while draining, forwarded to main. Pure.

Law of this file: a forwarded signal is only forwarded and never escalates. INT, TERM and QUIT, as
received, also begin a stop: no more restarts, and readiness off.
"""

from __future__ import annotations

from initd import signals, unit
from initd.books import SWEEPING, UP, WAITING, Books, describe
from initd.effects import Signal
from initd.inputs import SignalReceived
from initd.leaving import Leaving
from initd.model import BACKOFF, RESTARTING, STARTING, STOPPED
from initd.orphans import Orphans
from initd.supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STOP = signals.NUMBERS["STOP"]


class Forwarding:
    """From the signal to main, and to what it means for us."""

    def __init__(self, books: Books, supervisor: Supervisor, leaving: Leaving, orphans: Orphans) -> None:
        self.books, self.supervisor, self.leaving, self.orphans = books, supervisor, leaving, orphans
        self._rewrite = dict(books.config.rewrite)
        self._held: SignalReceived | None = None
        self._told_to_end = False  # by a signal, and nobody has taken it back

    def received(self, received: SignalReceived) -> None:
        """One signal, as the kernel delivered it. In a session mode we stop as main does, after it.

        Not as PID 1, which nothing stops; but a STOP throws away a CONT that waits behind it.
        """
        self._take(received)
        ourselves = self.books.init.pid
        if received.number in signals.JOB_CONTROL and self.books.config.suspends and ourselves != 1:
            self.books.emit(Signal(ourselves, _STOP))

    def _take(self, received: SignalReceived) -> None:
        target = self._rewrite.get(received.number, received.number)
        if target == 0:
            self.books.log("debug", f"dropped {signals.name_of(received.number)}, as --rewrite says")
            return
        ends = received.number in signals.STOPS
        if self.books.phase == SWEEPING and ends:
            self.leaving.sweep_hard()
        if ends and self._told_to_end and self.books.retiring:
            self.supervisor.hooks.kill()  # whoever asks twice does not wait for what runs around main
        self._told_to_end = ends or (self._told_to_end and self.books.retiring)
        if self.books.phase == WAITING:
            self._while_waiting(target, ends=ends)
        if self.books.phase != UP or (ends and self._hold(received)):
            return
        self._forward(target, received)
        if ends:
            self._retire()

    def _while_waiting(self, number: int, *, ends: bool) -> None:
        """Main is gone, and its daemons are waited for: a stop signal is for them."""
        if ends:
            self.leaving.sweep()
        else:
            self.orphans.signal(number)

    def _hold(self, received: SignalReceived) -> bool:
        """Keep a first stop signal back for --drain; a second one goes through at once."""
        books = self.books
        if books.config.drain <= 0 or books.retiring or books.main.process is None:
            books.cancel("drain")
            return False
        books.retiring, self._held = True, received
        if books.main.state == RESTARTING:
            self.supervisor.move(unit.STOP)
        self.drain()
        books.after("drain", books.config.drain)
        return True

    def drain(self, by: dict[str, Any] | None = None) -> None:
        """Readiness off; main goes on. Idempotent."""
        if not self.books.draining:
            self.books.draining = True
            self.books.record("drain", hold_seconds=self.books.config.drain, by=by)

    def drained(self) -> None:
        """The time is over: what was held back goes to main now."""
        if self._held is not None:
            self._forward(self._rewrite.get(self._held.number, self._held.number), self._held)
            self._retire()

    def _forward(self, number: int, received: SignalReceived) -> None:
        books = self.books
        self.orphans.signal(number)
        if books.main.process is None:
            return
        books.emit(Signal(books.main.process.pid, number, books.main_group))
        books.ledger.count_signal(number, "forwarded")
        books.record(
            "signal.forwarded",
            signal=signals.name_of(number),
            received=signals.name_of(received.number),
            process=describe(books.main.process, books.main_name),
            sender={
                "pid": received.sender_pid,
                "uid": received.sender_uid,
                "name": received.sender_name,
            },
        )

    def _retire(self) -> None:
        """No more restarts; and where there is no main to wait for, the end."""
        books = self.books
        books.retiring, books.held = True, False
        if books.main.state in (STARTING, BACKOFF, RESTARTING):
            self.supervisor.move(unit.STOP)
        if books.main.state == STOPPED:
            self.leaving.main_at_rest()
