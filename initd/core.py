"""The brain: an input and the time go in, effects come out. Pure.

Law of this file: the tables that say which room an input or a timer belongs to, and nothing else.
It decides, and does nothing; time is an argument.
"""

from __future__ import annotations

from initd import unit
from initd.books import Books, Init
from initd.children import Children
from initd.forwarding import Forwarding
from initd.leaving import Leaving
from initd.model import (
    BatchReaped,
    ChildEnded,
    ChildrenListed,
    Dropped,
    LetterboxClosed,
    Notified,
    SignalReceived,
    Spawned,
    SpawnFailed,
    Surveyed,
    Ticked,
)
from initd.orphans import Orphans
from initd.readiness import Readiness
from initd.supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.cli import Config


class Core:
    """Rooms around one set of books."""

    def __init__(self, config: Config, init: Init, dice: Callable[[], float]) -> None:
        self.books = books = Books(config, init, dice)
        self.leaving = Leaving(books)
        self.supervisor = Supervisor(books, self.leaving.main_at_rest, self.leaving.web_gone)
        self.leaving.supervisor = self.supervisor
        self.readiness = Readiness(books, self.supervisor)
        self.supervisor.main_up = self.readiness.main_up
        self.orphans = Orphans(books)
        self.children = Children(books, self.supervisor, self.orphans)
        self.forwarding = Forwarding(books, self.supervisor, self.leaving, self.orphans)
        self._inputs: dict[type, Callable[[Any], None]] = {
            Spawned: self.supervisor.spawned,
            SpawnFailed: self.supervisor.spawn_failed,
            ChildEnded: self.children.ended,
            BatchReaped: self.children.batch_reaped,
            ChildrenListed: self._listed,
            SignalReceived: self.forwarding.received,
            Surveyed: self.leaving.surveyed,
            Notified: self.readiness.notified,
            Dropped: self.supervisor.watch.dropped,
            LetterboxClosed: self.supervisor.watch.closed,
            Ticked: self._ticked,
        }
        self._timers: dict[str, Callable[[], None]] = {
            "look": self.children.look,
            "main.due": lambda: self.supervisor.move(books.main, unit.DUE),
            "main.overdue": lambda: self.supervisor.move(books.main, unit.OVERDUE),
            "web.due": lambda: self.supervisor.move(books.web, unit.DUE),
            "web.overdue": self.supervisor.watch.overdue,
            "web.beat": self.supervisor.watch.beat,
            "lag": self.supervisor.watch.lag,
            "watchdog": self.readiness.missed,
            "orphans": self.orphans.overdue,
            "orphans.wait": self.leaving.sweep,
            "drain": self.forwarding.drained,
            "sweep.look": self.leaving.look,
            "sweep.kill": self.leaving.sweep_hard,
            "sweep.give_up": self.leaving.give_up,
            "close.give_up": self.leaving.leave_web,
        }

    def begin(self, now: float, wall: float) -> list[Any]:
        """Once, before the first input: web is to be started, and the tick to tick."""
        self.books.now, self.books.wall = now, wall
        config = self.books.config
        if not config.no_http or config.kill_orphans:
            self.books.after("look", 0.0)
        if not config.no_http:
            self.supervisor.move(self.books.web, unit.START)
        return self.books.take()

    def handle(self, happened: object, now: float, wall: float) -> list[Any]:
        """Take one input in; the effects to perform, in order."""
        self.books.now, self.books.wall = now, wall
        self._inputs[type(happened)](happened)
        return self.books.take()

    def settle(self) -> list[Any]:
        """At the end of a turn: everything that web has not been told yet."""
        self.books.flush()
        return self.books.take()

    def _listed(self, listing: ChildrenListed) -> None:
        self.children.listed(listing)
        self.children.succeed(listing)
        self.orphans.listed()
        self.leaving.listed()

    def _ticked(self, _: Ticked) -> None:
        name = self.books.due()
        if name is not None:
            self._timers[name]()
