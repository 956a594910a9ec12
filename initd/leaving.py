"""The end: main is at rest and will not come back; sweep what it left, close web, exit. Pure.

Law of this file: every step has a deadline of its own, and the sum of them stays far below the
ten seconds that an engine waits before it kills us.
"""

from __future__ import annotations

from initd import signals, unit
from initd.books import CLOSING, GONE, SWEEPING, UP, WAITING, Books
from initd.effects import Exit, Look, Signal
from initd.inputs import Surveyed
from initd.model import STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.sparekeeper import SpareKeeper
    from initd.webkeeper import WebKeeper

FOREVER = float("inf")
KILL, TERM = signals.NUMBERS["KILL"], signals.NUMBERS["TERM"]
_LOOK = 0.02  # not everything that is swept is our child, and would tell us of its end
_GIVE_UP = 1.0  # after KILL: what is left then is in disk sleep, and the kernel's


class Leaving:
    """From main's rest to our own exit."""

    web: WebKeeper  # set by core.py: the two call each other
    spares: SpareKeeper  # and this

    def __init__(self, books: Books) -> None:
        self.books = books

    def main_at_rest(self) -> None:
        """Begin the end, unless main was stopped by somebody who may start it again."""
        books = self.books
        if books.held or books.phase != UP:
            return
        books.record("shutdown", code=books.exit_code)
        books.cancel("drain")
        if books.config.farewell:
            self._farewell()
        if books.config.wait_orphans is None:
            self.sweep()
            return
        books.phase = WAITING
        if books.config.wait_orphans < FOREVER:
            books.after("orphans.wait", books.config.wait_orphans)
        books.emit(Look())

    def listed(self) -> None:
        """Our children were looked at: without adopted ones there is nobody to wait for."""
        if self.books.phase == WAITING and not self.books.ledger.adopted:
            self.sweep()

    def sweep(self) -> None:
        """What is left is told to end; TERM first."""
        books = self.books
        books.cancel("orphans.wait", "look", "files")
        self.spares.dismiss()
        if books.config.sweep_timeout <= 0:
            self._close()
            return
        books.phase = SWEEPING
        books.after("sweep.kill", books.config.sweep_timeout)
        books.sweep(TERM)

    def _farewell(self) -> None:
        """As dumb-init does: one TERM, rewritten as any other, to what is left of main's group."""
        books = self.books
        number = dict(books.config.rewrite).get(TERM, TERM)
        if number and books.main.last_process is not None:
            books.ledger.count_signal(number, "sweep")
            books.emit(Signal(-books.main.last_process.pid, number))

    def surveyed(self, survey: Surveyed) -> None:
        """A sweep was made: done when nobody is left."""
        books = self.books
        if books.phase != SWEEPING:
            return
        if survey.sent:
            books.ledger.count_signal(self._number or TERM, "sweep", survey.sent)
        if survey.left == 0:
            self._close()
        else:
            books.after("sweep.look", _LOOK)

    @property
    def _number(self) -> int:
        """What another sweep sends: nothing but a count, or KILL once it has come to that."""
        return KILL if "sweep.give_up" in self.books.timers else 0

    def look(self) -> None:
        self.books.sweep(self._number)

    def sweep_hard(self) -> None:
        """Time is up, or a second stop signal said so."""
        self.books.cancel("sweep.kill")
        self.books.timers.setdefault("sweep.give_up", self.books.now + _GIVE_UP)
        self.books.sweep(KILL)

    def give_up(self) -> None:
        self._close()

    def _close(self) -> None:
        books = self.books
        books.phase = CLOSING
        books.cancel("sweep.kill", "sweep.look", "sweep.give_up")
        if books.web.state == STOPPED:
            self.web_gone()
        else:
            self.web.move(unit.STOP)

    def web_gone(self) -> None:
        """Nothing of ours is left; or it is dying, or stuck in disk sleep: as PID 1 we take it along."""
        if self.books.phase == CLOSING:
            self.books.phase = GONE
            self.books.emit(Exit(self.books.exit_code))
