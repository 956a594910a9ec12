"""The last guard: what PID 1 does where its own code raised. It is said, counted, and made good by less.

Law of this file: as little as can fail. Main's signals are forwarded, main's end is ours unless there is
another way on, and what was started or has ended is known as such; all else waits for the next input.
"""

from __future__ import annotations

import errno
import posix as os

from initd import signals
from initd.books import UP
from initd.effects import Deliver, Exit, Signal, Spawn, Sweep
from initd.inputs import ChildEnded, Delivered, SignalReceived, Spawned, SpawnFailed, Surveyed
from initd.model import MAIN, WEB, ProcessId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.books import Books
    from initd.say import Speaker
    from initd.unit import Unit

_WAYS_ON = ("main.due", "pre-start.timeout", "post-stop.timeout", "sweep.kill", "sweep.look", "close.give_up")
_AGAIN = 1.0  # seconds until what failed is tried again
_WHY = "an error in initd, see its log"


class Guard:
    """Beside the core, and in its place for as long as it takes to come to the next input."""

    def __init__(self, books: Books, speaker: Speaker) -> None:
        self.books, self.speaker = books, speaker
        self._said: set[str] = set()
        self._inputs: dict[type, Callable[[Any], None]] = {
            SignalReceived: self._forward,
            ChildEnded: self._ended,
            Spawned: self._spawned,
            SpawnFailed: self._failed,
        }

    def survived(self, error: BaseException) -> None:
        """One exception: counted, and said once for each place that it comes from."""
        place = _place_of(error)
        self.books.ledger.errors += 1
        self.books.last_error = place
        if place not in self._said:
            self._said.add(place)
            text = f"cannot go on as planned at {place}: {error!r}; please report this"
            self.speaker.say("error", text)

    # --- inputs that the core could not handle -------------------------------------------------------

    def instead_of_handling(self, happened: object) -> list[Any]:
        """The least that has to come of it: effects, after those that the core had decided already."""
        decided = self.books.take()
        stand_in = self._inputs.get(type(happened))
        if stand_in is not None:
            stand_in(happened)
        return decided + self.books.take()

    def _forward(self, received: SignalReceived) -> None:
        number = dict(self.books.config.rewrite).get(received.number, received.number)
        main = self.books.main.process
        if received.number in signals.STOPS:
            self.books.retiring = True
        if main is not None and number:
            self.books.emit(Signal(main.pid, number, group=self.books.main_group))

    def _ended(self, end: ChildEnded) -> None:
        books = self.books
        unit = books.owner(end.process.pid)
        books.ledger.adopted.pop(end.process.pid, None)
        if unit is not None:
            unit.lost()
            if self._wanted(unit, end):
                books.timers.setdefault(f"{unit.name}.due", books.now + _AGAIN)
        if unit is books.main:
            unit.last_exit = end.status
        if books.main.process is None and not self._goes_on():
            books.emit(Exit(books.exit_code))

    def _wanted(self, unit: Unit, end: ChildEnded) -> bool:
        """Is it to be started again? By the words of the policy; who counts failures is the core."""
        if self.books.phase != UP or (unit is self.books.main and self.books.retiring):
            return False
        return unit.wanted_back(self.books.judge(end.status) != 0, 1)

    def _goes_on(self) -> bool:
        """Does anything lead from here to another main, or to our end? Else nobody would ever notice."""
        return self.books.held or any(name in self.books.timers for name in _WAYS_ON)

    def _spawned(self, up: Spawned) -> None:
        unit = self._unit(up.unit)
        if unit is not None and unit.process is None:
            unit.found(up.process, self.books.now)

    def _failed(self, failure: SpawnFailed) -> None:
        unit = self._unit(failure.unit)
        if unit is not None:
            unit.lost()
            self.books.timers.setdefault(f"{unit.name}.due", self.books.now + _AGAIN)

    def _unit(self, name: str) -> Unit | None:
        return {MAIN: self.books.main, WEB: self.books.web}.get(name)

    # --- effects that could not be performed -----------------------------------------------------------

    def instead_of_performing(self, effect: object) -> object | None:
        """What came of it: nothing, and whoever waits for that is told."""
        if isinstance(effect, Spawn):
            return SpawnFailed(effect.unit, _WHY, forking=True)
        if isinstance(effect, Deliver):
            process = ProcessId(effect.pid, effect.starttime or 0)
            return Delivered(effect.ticket, process, None, errno.EIO, _WHY)
        if isinstance(effect, Sweep):
            return Surveyed(0, 1)
        if isinstance(effect, Signal):
            _send(effect)
        return None


def _send(effect: Signal) -> None:
    """Rather twice than not at all."""
    try:
        os.kill(-effect.pid if effect.group else effect.pid, effect.number)
    except OSError:  # nobody is there, or it is not ours to signal
        return


def _place_of(error: BaseException) -> str:
    """File and line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
