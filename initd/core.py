"""The brain: an input and the time go in, effects come out. Pure.

Law of this file: the tables that say which room an input or a timer belongs to, and nothing else.
It decides, and does nothing; time is an argument.
"""

from __future__ import annotations

from initd import unit
from initd.books import Books, Init
from initd.checks import NAMES, Checks
from initd.children import Children
from initd.forwarding import Forwarding
from initd.helpers import Helpers
from initd.hooks import Hooks
from initd.inputs import (
    BatchReaped,
    ChildEnded,
    ChildrenListed,
    Dropped,
    FilesChanged,
    LetterboxClosed,
    Notified,
    OrphansReaped,
    Parked,
    SignalReceived,
    Spawned,
    SpawnFailed,
    Surveyed,
    Ticked,
)
from initd.leaving import Leaving
from initd.model import HEALTH_EXEC, MAIN, POST_STOP, PRE_START, READY_EXEC, TLS_CHECK, WEB
from initd.orphans import Orphans
from initd.readiness import Readiness
from initd.reloading import Reloading
from initd.sparekeeper import SpareKeeper
from initd.supervisor import Supervisor
from initd.webkeeper import WebKeeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.cli import Config


_RETRY = 1.0  # seconds, for a timer whose work could not be done
_HELPERS = (PRE_START, POST_STOP, READY_EXEC, HEALTH_EXEC, TLS_CHECK)


class Core:
    """Rooms around one set of books."""

    def __init__(self, config: Config, init: Init, dice: Callable[[], float]) -> None:
        self.books = books = Books(config, init, dice)
        self.leaving = Leaving(books)
        self.helpers = Helpers(books)
        hooks = Hooks(books, self.helpers)
        self.supervisor = Supervisor(books, hooks, self.leaving.main_at_rest)
        self.web = WebKeeper(books, self.leaving.web_gone)
        self.spares = SpareKeeper(books)
        self.leaving.web, self.leaving.spares = self.web, self.spares
        self.reloading = Reloading(books, self.helpers, self.web)
        self.readiness = Readiness(books, self.supervisor)
        self.checks = Checks(books, self.helpers, self.supervisor, self.readiness)
        self.supervisor.main_up = self._main_up
        self.orphans = Orphans(books)
        self.children = Children(books, self.supervisor, self.web, self.orphans, self.helpers, self.spares)
        self.forwarding = Forwarding(books, self.supervisor, self.leaving, self.orphans)
        self._inputs: dict[type, Callable[[Any], None]] = {
            Spawned: self._spawned,
            SpawnFailed: self._spawn_failed,
            ChildEnded: self.children.ended,
            OrphansReaped: self.children.orphans_reaped,
            BatchReaped: self.children.batch_reaped,
            ChildrenListed: self._listed,
            SignalReceived: self.forwarding.received,
            Surveyed: self.leaving.surveyed,
            Notified: self.readiness.notified,
            Parked: self.spares.parked,
            FilesChanged: self.reloading.changed,
            Dropped: self.web.dropped,
            LetterboxClosed: self.web.closed,
            Ticked: self._ticked,
        }
        self._timers: dict[str, Callable[[], None]] = {
            "look": self.children.look,
            "untold": self.children.tell_untold,
            "main.due": lambda: self.supervisor.move(unit.DUE),
            "main.overdue": lambda: self.supervisor.move(unit.OVERDUE),
            "web.due": lambda: self.web.move(unit.DUE),
            "web.overdue": self.web.overdue,
            "web.beat": self.web.beat,
            "lag": self.web.lag,
            "spare": self.spares.due,
            "files": self.reloading.look,
            "watchdog": self.readiness.missed,
            **{f"{name}.due": _about(name, self.checks.due) for name in NAMES},
            **{f"{name}.timeout": _about(name, self.helpers.overdue) for name in _HELPERS},
            "orphans": self.orphans.overdue,
            "orphans.wait": self.leaving.sweep,
            "drain": self.forwarding.drained,
            "sweep.look": self.leaving.look,
            "sweep.kill": self.leaving.sweep_hard,
            "sweep.give_up": self.leaving.give_up,
            "close.give_up": self.leaving.web_gone,
        }

    def begin(self, now: float, wall: float) -> list[Any]:
        """Once, after the first input: web is to be started, and whatever runs before main."""
        self.books.now, self.books.wall = now, wall
        config = self.books.config
        if not config.no_http or config.kill_orphans:
            self.books.after("look", 0.0)
        if not config.no_http:
            self.web.move(unit.START)
            self.spares.begin()
            self.reloading.begin()
        if self.books.config.pre_start is not None and self.books.config.argv:
            self.supervisor.spawn()
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

    def _spawned(self, up: Spawned) -> None:
        if up.unit == WEB and up.process.pid == self.books.spare:
            self.spares.gone()
        {MAIN: self.supervisor.spawned, WEB: self.web.spawned}.get(up.unit, self.helpers.started)(up)

    def _spawn_failed(self, failure: SpawnFailed) -> None:
        keepers = {MAIN: self.supervisor.spawn_failed, WEB: self.web.spawn_failed}
        keepers.get(failure.unit, self.helpers.failed)(failure)

    def _main_up(self) -> None:
        self.readiness.main_up()
        self.checks.main_up()

    def _listed(self, listing: ChildrenListed) -> None:
        self.children.listed(listing)
        self.children.succeed(listing)
        self.orphans.listed()
        self.leaving.listed()

    def _ticked(self, tick: Ticked) -> None:
        if tick.missed:
            self.books.stood_still(tick.missed)
            self.web.heard()  # it could not speak
        name = self.books.due()
        if name is None:
            return
        try:
            self._timers[name]()
        except Exception:  # whatever it was: it is the guard's, and the timer is not lost
            self.books.timers.setdefault(name, self.books.now + _RETRY)
            raise


def _about(name: str, step: Callable[[str], None]) -> Callable[[], None]:
    return lambda: step(name)
