"""Our own short commands beside main and web: hooks, and checks that are commands. Pure.

Law of this file: one at a time under each name, each with a time limit, and whoever wanted it is told once.
What its end means is hooks.py's and checks.py's.
"""

from __future__ import annotations

from initd import signals
from initd.books import KILL_AGAIN, Books
from initd.effects import Signal, Spawn
from initd.endings import in_words
from initd.inputs import ChildEnded, Spawned, SpawnFailed
from initd.model import POST_STOP, PRE_START, ExitStatus, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KILL = signals.NUMBERS["KILL"]
_KILLED = ExitStatus(None, KILL)


@record
class Outcome:
    """``why`` None is success; ``status`` None: it could not be run, and ``spared`` is for want of room."""

    why: str | None
    status: ExitStatus | None = None
    output: str | None = None
    spared: bool = False


class _Helper:
    """One that was asked for, and perhaps runs."""

    def __init__(self, seconds: float, done: Callable[[Outcome], None]) -> None:
        self.seconds, self.done = seconds, done
        self.pid = 0
        self.late: str | None = None  # in words, once its time was over
        self.told = False

    def tell(self, outcome: Outcome) -> None:
        if not self.told:
            self.told = True
            self.done(outcome)


class Helpers:
    """By name, which is that of the option."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._helpers: dict[str, _Helper] = {}
        self._starved: set[str] = set()  # checks whose last start failed for want of a process: told once

    def running(self, name: str) -> bool:
        """It was asked for, and has not ended."""
        return name in self._helpers

    def stuck(self, name: str) -> bool:
        """It was killed, and has not ended for all that."""
        return self.running(name) and self._helpers[name].late is not None

    def run(
        self,
        name: str,
        seconds: float,
        done: Callable[[Outcome], None],
        environ: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Start the command of this option; ``done`` is called once, when it is known how that went."""
        if self.running(name):
            done(Outcome("the last one has not ended yet"))
            return
        self._helpers[name] = _Helper(seconds, done)
        self.books.emit(Spawn(name, environ))

    def started(self, up: Spawned) -> None:
        helper = self._helpers[up.unit]
        self._starved.discard(up.unit)
        helper.pid = up.process.pid
        self.books.helpers[helper.pid] = up.unit
        self.books.after(f"{up.unit}.timeout", helper.seconds)

    def failed(self, failure: SpawnFailed) -> None:
        """It could not be started; that says nothing of main."""
        told = failure.unit in self._starved
        if failure.forking and not failure.spared and not told:
            self.books.fork_failed(failure)
        if failure.forking and failure.unit not in (PRE_START, POST_STOP):  # those have a backoff
            self._starved.add(failure.unit)
        self._helpers.pop(failure.unit).tell(Outcome(failure.why, spared=failure.forking))

    def ended(self, end: ChildEnded) -> None:
        name = self.books.helpers.pop(end.process.pid)
        self.books.cancel(f"{name}.timeout")
        why = None if end.status.code == 0 else in_words(end.status)
        helper = self._helpers.pop(name)
        helper.tell(Outcome(helper.late or why, end.status, end.output))

    def overdue(self, name: str) -> None:
        """Its time is over: it is killed, and failed already; but a start of main waits for its end."""
        helper = self._helpers[name]
        helper.late = f"it did not end within {helper.seconds:g} s"
        self.signal(name, KILL)
        self.books.after(f"{name}.timeout", KILL_AGAIN)
        if name != PRE_START:
            helper.tell(Outcome(helper.late, _KILLED))

    def signal(self, name: str, number: int) -> None:
        """To its whole group."""
        helper = self._helpers.get(name)
        if helper is not None and helper.pid:
            self.books.emit(Signal(helper.pid, number, group=True))
