"""What has ended is taken from the kernel: described while there is time for it, and counted always.

Law of this file: it decides how much is looked at, never what an end means. A look at a zombie's name, age
and elders costs twenty times what its reaping does, so in a storm only some are looked at; the others, where
they are none of ours by birth, are a number. PID 1's duty comes before its curiosity.
"""

from __future__ import annotations

import time

from initd import proctable, waiting
from initd.allowance import Allowance
from initd.books import GONE
from initd.inputs import BatchReaped, ChildEnded, OrphansReaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from initd.books import Books
    from initd.boot import World
    from initd.earshot import Earshot
    from initd.guard import Guard
    from initd.inputs import Elder
    from initd.letterbox import Letterbox
    from initd.procfs import Stat
    from initd.waiting import Ended, Reaped

SHARE = 0.005  # seconds of reaping in one turn, and of reading notes; a probe waits so long
_STORM = 0.005  # batches that follow each other this closely
_REST = 0.001  # are gathered into one
_AT_ONCE = 32  # are reaped before the time is looked at again: 0.2 ms
# Orphans that are looked at: so many at once, and then so many a second, which is 1 % of a core. Once that
# does not suffice it is a storm, and those that are looked at are samples: a few a second.
_DESCRIBED, _A_SECOND, _FINE = 200, 100, 20


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
        self._peeks = waiting.can_peek()
        self._blind = not self._peeks or not _is_asked(world)
        self._allowance = Allowance(_DESCRIBED, _A_SECOND, _FINE)
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

        In a storm each exit would cost a turn of its own, so after a batch we rest a little for the next,
        unless web asks something; and all ends with our share of time, so that signals and questions do not
        wait for the storm's end.
        """
        until = time.monotonic() + SHARE
        while True:
            began, self.more = time.monotonic(), False
            stormy = began - self._last_batch < _STORM
            self._reap(until)
            if self.books.phase == GONE:
                return
            stormy = stormy and self._batch > 0
            self._report(began)
            if self.more or not stormy or time.monotonic() > until:
                return
            if self.letterbox.wait(_REST):
                self.more = True
                return

    def _reap(self, until: float) -> None:
        self._ours = self.books.ours()
        if self._blind or self._reap_with_a_look(until):
            self._reap_quickly(until)

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
        while self.books.phase != GONE and (pid := waiting.peek()) is not None:
            now = time.monotonic()
            self.more = now > until
            if self.more or not self._allowance.take(now):
                return not self.more
            stat = proctable.stat_of(pid)
            reaped = waiting.reap(pid)
            if reaped is not None:
                self._batch += 1
                self._hand_on(reaped, stat)
        return False

    def _reap_quickly(self, until: float) -> None:
        """Of orphans nothing but their number. Here each call counts: a storm brings 20,000 a second."""
        reap = waiting.reap_some if self._blind else waiting.reap_some_with_usage
        while self.books.phase != GONE and (ended := reap(_AT_ONCE)):
            self._batch += len(ended)
            self._count(ended)
            if len(ended) < _AT_ONCE:
                return
            if time.monotonic() > until:
                self.more = True
                return

    def _count(self, ended: list[Ended]) -> None:
        """All at once, as a loop would cost as much as their reaping did. One of ours is not only counted."""
        pids = [one[0] for one in ended]
        if self._ours.isdisjoint(pids):
            self._pids += pids
            self._signaled += sum([one[1] & 0x7F != 0 for one in ended])  # the signal's number; wait(2)
            return
        ours = [one for one in ended if one[0] in self._ours]
        self._count([one for one in ended if one not in ours])
        for one in ours:
            self._hand_on(waiting.used(*one), None)

    def _hand_on(self, reaped: Reaped, stat: Stat | None) -> None:
        """It may lead to a birth, and then there is one more of ours."""
        self.feed(self._described(reaped, stat))
        self._ours = self.books.ours()

    def _described(self, reaped: Reaped, stat: Stat | None) -> ChildEnded:
        """Whatever goes wrong in describing an end, it is an end: nobody else will ever hear of it."""
        try:
            return self._describe(reaped, stat)
        except Exception as error:  # noqa: BLE001  because main's end must not be lost by it
            self.guard.survived(error)
            return proctable.bare_end(reaped)

    def _describe(self, reaped: Reaped, stat: Stat | None) -> ChildEnded:
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
