"""What main's keeper and web's have in common: asking the state machine, and doing what it says. Pure.

Law of this file: no decision about states, unit.py's table makes them; what each action means for main
stands in supervisor.py, for web in webkeeper.py.
"""

from __future__ import annotations

from initd import unit
from initd.books import Books
from initd.inputs import SpawnFailed
from initd.model import ExitStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.unit import Unit

_AGAIN = 60.0  # seconds until the same complaint is made again


class Keeper:
    """One unit, and whoever looks after it. Each action of the table is a method."""

    def __init__(self, books: Books, kept: Unit) -> None:
        self.books, self.unit = books, kept
        self._complaint, self._complained_at = "", 0.0
        self._actions: dict[str, Callable[[], None]] = {
            unit.SPAWN: self.spawn,
            unit.ASK: self.ask,
            unit.AFTER: self.after,
            unit.KILL: self.kill,
            unit.WAIT: self.wait,
            unit.SETTLE: self.settle,
        }

    def move(self, what: str) -> None:
        """Ask the unit for something, and do what it says."""
        self.do(self.unit.ask(what))

    def do(self, actions: tuple[str, ...]) -> None:
        """The actions of the table, in its order."""
        for action in actions:
            self._actions[action]()

    def spawn(self) -> None:
        raise NotImplementedError

    def ask(self) -> None:
        raise NotImplementedError

    def after(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        raise NotImplementedError

    def missed(self, what: str, failure: SpawnFailed) -> ExitStatus:
        """It could not be started: that is said, with the limits; and what it is as an end."""
        if failure.forking:
            self.books.fork_failed(failure)
        room = f" ({failure.room})" if failure.room else ""
        self._complain(f"cannot {what} {failure.why}{room}")
        return ExitStatus(failure.code, None)

    def _complain(self, text: str) -> None:
        """Not at each try, which may go on for days."""
        now = self.books.now
        if text != self._complaint or now - self._complained_at >= _AGAIN:
            self._complaint, self._complained_at = text, now
            self.books.log("error", text)

    def wait(self) -> None:
        """Come back when the backoff is over."""
        self.books.after(f"{self.unit.name}.due", self.unit.delay)

    def settle(self) -> None:
        """It is at rest: no timer of its life is left."""
        self.books.cancel(f"{self.unit.name}.due", f"{self.unit.name}.overdue")
