"""What main says of itself by sd_notify, and what follows: ready, stopping, alive. Pure; sd_notify(3).

Law of this file: main's own words only count while they are this main's: a new start forgets them all.
"""

from __future__ import annotations

from initd import signals
from initd.allowance import Allowance
from initd.books import Books, Told, describe
from initd.effects import Look
from initd.inputs import Notified
from initd.model import RUNNING
from initd.supervisor import Supervisor

_ABRT = signals.NUMBERS["ABRT"]  # as systemd does: a core dump may say where it hung
_MICROSECONDS = 1_000_000.0
_AT_ONCE, _A_SECOND = 20, 2.0  # changes of status that are events: the history has other things to remember


class Readiness:
    """From main's words to readiness, and from its silence to a restart."""

    def __init__(self, books: Books, supervisor: Supervisor) -> None:
        self.books, self.supervisor = books, supervisor
        self._watchdog = books.config.watchdog  # seconds; main may change it
        self._allowance = Allowance(_AT_ONCE, _A_SECOND)
        self._skipped = 0  # changes since the last one that is an event

    def main_up(self) -> None:
        """A new main: nothing that the old one said is true of it."""
        self.books.told = Told()
        self.books.cancel("watchdog")
        self._watchdog = self.books.config.watchdog
        if not self.books.config.notify:
            self._wind_up()

    def notified(self, notice: Notified) -> None:
        """One message of main's, or of a process below it."""
        books, words = self.books, notice.words
        if books.main.state != RUNNING and not words.keys() & {"STOPPING", "EXTEND_TIMEOUT_USEC", "STATUS"}:
            return
        if notice.successor is not None:
            books.told.successor = notice.successor
            books.emit(Look())
        if "WATCHDOG_USEC" in words:
            self._watchdog = words["WATCHDOG_USEC"] / _MICROSECONDS
        if words.get("READY"):
            self._said_ready()
        if "STATUS" in words or "RELOADING" in words or "STOPPING" in words:
            self._said(words)
        if "EXTEND_TIMEOUT_USEC" in words:
            self._extend(words["EXTEND_TIMEOUT_USEC"] / _MICROSECONDS)
        if words.get("WATCHDOG") == "trigger":
            # Also where no watchdog is wound up: sd_notify(3).
            self._unwell("main triggered it", "main triggered its watchdog and is restarted")
        elif words.get("WATCHDOG") == "1" or "WATCHDOG_USEC" in words:
            self._wind_up()

    def _said_ready(self) -> None:
        told = self.books.told
        told.reloading = False
        if not told.ready and self.books.main.process is not None:
            told.ready = True
            self._wind_up()
            self.announce()

    def announce(self) -> None:
        """Main is ready once it has said so, where it was asked to, and each of its checks has passed."""
        books, told = self.books, self.books.told
        waited_for = books.config.notify and not told.ready
        if waited_for or told.announced or any(v.gates and not v.passing for v in books.vitals.values()):
            return
        assert books.main.process is not None
        told.announced = books.ever_ready = True
        after = round(books.now - books.main.since, 3)
        books.record("main.ready", process=describe(books.main.process, books.main_name), after_seconds=after)

    def _said(self, words: dict[str, object]) -> None:
        """The state is always as main says; the history gets what changed, unless that is too often."""
        told = self.books.told
        before = told.status, told.reloading, told.stopping
        told.status = str(words.get("STATUS", told.status))
        told.reloading = told.reloading or "RELOADING" in words
        told.stopping = told.stopping or "STOPPING" in words
        if (told.status, told.reloading, told.stopping) == before:
            return
        if told.stopping == before[2] and not self._allowance.take(self.books.now):
            self._skipped += 1
            return
        more = {"skipped": self._skipped} if self._skipped else {}
        self._skipped = 0
        self.books.record(
            "status", text=told.status, reloading=told.reloading, stopping=told.stopping, **more
        )

    def _extend(self, seconds: float) -> None:
        """Main asks for more time to stop, counted from now; never for less."""
        at = self.books.timers.get("main.overdue")
        if at is not None:
            self.books.timers["main.overdue"] = max(at, self.books.now + seconds)

    def _wind_up(self) -> None:
        """The watchdog is fed, where there is one; main may take it away by saying 0."""
        self.books.told.starving = False
        self.books.cancel("watchdog")
        if self._watchdog:
            self.books.after("watchdog", self._watchdog)

    def missed(self) -> None:
        """No word in time: main hangs."""
        long = f"{self._watchdog:g} s"
        self._unwell(f"no word from main in {long}", f"main missed its watchdog of {long} and is restarted")

    def _unwell(self, why: str, text: str) -> None:
        """Main is made to leave a core dump, and started again."""
        books = self.books
        books.cancel("watchdog")
        if books.main.state != RUNNING:
            return
        books.told.starving = True
        books.record("check.failed", check="watchdog", why=why)
        books.log("warning", text)
        self.supervisor.restart_for("watchdog", _ABRT)
