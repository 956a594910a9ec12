"""What has ended is taken from the kernel: described while there is time for it, and counted always.

Law of this file: it decides how much is looked at, never what an end means. A look at a zombie's name, age
and elders costs twenty times what its reaping does, so in a storm only some are looked at; the others, where
they are none of ours by birth, are a number. PID 1's duty comes before its curiosity.
"""

from __future__ import annotations

import time

from initd import proctable, syscalls
from initd.allowance import Allowance
from initd.books import GONE
from initd.inputs import BatchReaped, ChildEnded, OrphansReaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from initd.books import Books
    from initd.boot import World
    from initd.earshot import Earshot
    from initd.guard import Guard
    from initd.inputs import Elder
    from initd.letterbox import Letterbox
    from initd.procfs import Stat
    from initd.syscalls import Ended

_SHARE = 0.005  # seconds of reaping in one turn; a probe waits so long
_STORM = 0.002  # batches that follow each other this closely are gathered into one
_CLOCK = 16  # the time is looked at after so many
# Orphans that are looked at: so many at once, and then so many a second; 1 % of a core.
_DESCRIBED, _A_SECOND = 200, 100


class Reaper:
    """``feed`` takes the inputs that it makes; ``more`` says that its share was not enough."""

    def __init__(
        self,
        world: World,
        books: Books,
        earshot: Earshot,
        letterbox: Letterbox,
        guard: Guard,
        feed: Callable[[object], None],
    ) -> None:
        self.books, self.earshot, self.letterbox = books, earshot, letterbox
        self.guard, self.feed = guard, feed
        self.more = False
        self._peeks = syscalls.can_peek()
        self._blind = not self._peeks or not _is_asked(world)
        self._allowance = Allowance(_DESCRIBED, _A_SECOND)
        self._ours: set[int] = set()  # by birth: those are described whatever the hurry
        self._last_batch = -1.0
        self._batch, self._batch_seconds = 0, 0.0  # reaped since there was nothing to reap
        self._pids: list[int] = []  # of these, the orphans that were only counted in this turn
        self._signaled = 0
        if not self._peeks:
            text = "cannot look at the dead before they are reaped, and their names are unknown: allow waitid"
            world.speaker.say("warning", text)

    def drain(self, _: list[int]) -> None:
        """Until there is no more: SIGCHLD coalesces, so its number says nothing.

        In a storm each exit would cost a turn of its own, so a short rest makes batches of them, unless web
        asks something; and a batch ends after its share of time, so that signals and questions do not wait
        for the storm's end.
        """
        now = time.monotonic()
        if self._peeks and not self.more and now - self._last_batch < _STORM and syscalls.peek():
            self.more = self.letterbox.wait(_STORM)
            if self.more:
                return
        began, self.more = time.monotonic(), False
        until = began + _SHARE
        self._ours = self.books.ours()
        if self._blind:
            self._reap_quickly(syscalls.ended(), until)
        elif self._reap_with_a_look(until):
            self._reap_quickly(syscalls.ended_with_usage(), until)
        if self.books.phase != GONE:
            self._report(began)

    def _report(self, began: float) -> None:
        """The numbers of this turn, and of the batch where it is over."""
        if self._pids:
            reaped = OrphansReaped(tuple(self._pids), self._signaled)
            self._pids, self._signaled = [], 0
            self.feed(reaped)
        if not self._batch:
            return
        self._batch_seconds += time.monotonic() - began
        if not self.more:
            batch = BatchReaped(self._batch, self._batch_seconds)
            self._batch, self._batch_seconds, self._last_batch = 0, 0.0, time.monotonic()
            self.feed(batch)

    def _reap_with_a_look(self, until: float) -> bool:
        """Name and age are read first, for they go with the zombie. True: no more looks for now."""
        while self.books.phase != GONE and (pid := syscalls.peek()) is not None:
            now = time.monotonic()
            self.more = now > until
            if self.more or not self._allowance.take(now):
                return not self.more
            stat = proctable.stat_of(pid)
            reaped = syscalls.reap(pid)
            if reaped is not None:
                self._batch += 1
                self._hand_on(reaped, stat)
        return False

    def _reap_quickly(self, ended: Iterable[Ended], until: float) -> None:
        """Of orphans nothing but their number. Here each call counts: a storm brings 20,000 a second."""
        for pid, status, usage in ended:
            self._batch += 1
            if pid in self._ours:
                self._hand_on(syscalls.used(pid, status, usage), None)
                if self.books.phase == GONE:
                    return
            else:
                self._pids.append(pid)
                self._signaled += status & 0x7F != 0  # the low bits are the signal's number; wait(2)
            if not self._batch % _CLOCK and time.monotonic() > until:
                self.more = True
                return

    def _hand_on(self, reaped: syscalls.Reaped, stat: Stat | None) -> None:
        """It may lead to a birth, and then there is one more of ours."""
        self.feed(self._described(reaped, stat))
        self._ours = self.books.ours()

    def _described(self, reaped: syscalls.Reaped, stat: Stat | None) -> ChildEnded:
        """Whatever goes wrong in describing an end, it is an end: nobody else will ever hear of it."""
        try:
            return self._describe(reaped, stat)
        except Exception as error:  # noqa: BLE001  because main's end must not be lost by it
            self.guard.survived(error)
            return proctable.bare_end(reaped)

    def _describe(self, reaped: syscalls.Reaped, stat: Stat | None) -> ChildEnded:
        """Elders are only looked for where they are asked for: of an orphan that was never met alive."""
        elders: tuple[Elder, ...] = ()
        if stat is not None and not self.books.knows(reaped.pid):
            main = self.books.main.process
            living = (self.books.init.pid, main.pid if main is not None else 0)
            elders = proctable.elders(stat, living, {})
        return proctable.describe_end(reaped, stat, self.earshot.finish(reaped.pid), elders)


def _is_asked(world: World) -> bool:
    """Will anybody hear what an orphan was called?"""
    config = world.config
    return not config.no_http or config.warn_on_reap or config.verbose > 0 or config.persona is not None
