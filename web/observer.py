"""The observer: one task that looks at all processes again and again, and tells the core what it saw.

Law of this file: it may cost at most a hundredth of one core, however many processes there are, so it looks
once a second or, where a look is dear, as often as a hundred times its CPU time allows. What a look shows is
worked out by the pure files (lineage, sightings, memory) on the sampler's thread; here it is sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any, NamedTuple, NoReturn

from initd.procfs import decode_name
from web import cgroup, tree
from web.culprits import by_parent
from web.exits import Exits, Key
from web.house import House
from web.lineage import Lineage, datagrams
from web.problem import Problem
from web.redact import redact
from web.room import tasks
from web.sampler import Snapshot
from web.say import say
from web.sightings import Level, Zombies
from web.worker import Pause

TICK = 1.0  # seconds: an orphan of a second is one that a person could have seen
SHARE = 140  # times its CPU time between two looks: 100, and the rest for what is not measured of it
PAUSE = 5.0  # after an error
_SHOWN = 200  # characters of a command line
_READ = 1_024  # bytes of it: 200 characters have at most 800

Message = dict[str, Any]


class Sight(NamedTuple):
    """What one look gave: what to tell the core, and whose end it must hear of from us."""

    messages: list[Message]
    parents: Collection[Key]
    taken_at: float


class News(NamedTuple):
    """A look that there is something to tell of: when it began, and its cost in seconds of CPU time."""

    sight: Sight
    began: float
    cost: float


async def observe(house: House) -> NoReturn:
    """For ever. After an error it begins anew with an empty memory, and the core is told so by ``fresh``."""
    said = ""
    while True:
        try:
            await Observer(house).run()
        except Exception as error:  # noqa: BLE001  whatever it is, probes and answers go on without it
            text = error.detail if isinstance(error, Problem) else f"cannot observe the processes: {error!r}"
            if text != said:
                said = text
                say(f"{text}; trying again")
        await asyncio.sleep(PAUSE)


class Observer:
    """One memory, from its first look to its first error."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lineage = Lineage()
        self._zombies = Zombies()
        self._level = Level()
        self._exits = Exits(self._ended)
        self._groups: cgroup.Groups | None = None
        self._census: Message = {}
        self._of_init: frozenset[Key] | None = None  # its children at the last look
        self._fresh = True
        self._watched: Collection[Key] | None = None
        self._calling = False

    async def run(self) -> NoReturn:
        """Look, tell, rest. Raises whatever goes wrong."""
        pause = Pause(0.0, 0.0)
        try:
            while True:
                news = await self._house.sampler.until(self._news, pause)
                cost = news.cost + self._tell(news.sight)
                self._took(news.sight, cost)
                pause = self._rest(news.began, cost)
        finally:
            self._exits.close()

    def _tell(self, sight: Sight) -> float:
        """To the core; what that costs in seconds of CPU time."""
        begin = time.thread_time()
        for message in sight.messages:
            self._house.link.tell(message)
        self._watched = sight.parents if self._exits.watch(sight.parents) else None
        return time.thread_time() - begin

    def _took(self, sight: Sight, cost: float) -> None:
        """The house may know of this look: whatever was to be told of it has been."""
        memory = self._house.memory
        memory.taken_at, memory.interval = sight.taken_at, max(TICK, SHARE * cost)

    def _rest(self, began: float, cost: float) -> Pause:
        """When the next look is due, and when somebody's end may bring it forward to."""
        earliest = began + SHARE * cost
        return Pause(earliest, max(earliest, began + TICK))

    def _ended(self) -> None:
        """A parent ended: the core shall look at once, and once for all of one turn of the loop."""
        self._house.sampler.hurry()
        if not self._calling:
            self._calling = True
            asyncio.get_running_loop().call_soon(self._call)

    def _call(self) -> None:
        self._calling = False
        if not self._house.link.busy:
            self._house.link.tell({"t": "look"})

    # --- on the sampler's thread ------------------------------------------------------------------

    def _news(self) -> News | Pause:
        """A look. Mostly there is nothing to tell, and nothing on the event loop is to be woken for it."""
        began = time.monotonic()
        if self._house.link.busy:
            return Pause(began, began + TICK)
        sight, cost = self._timed()
        if sight.messages or sight.parents != self._watched:
            return News(sight, began, cost)
        self._took(sight, cost)
        return self._rest(began, cost)

    def _timed(self) -> tuple[Sight, float]:
        """A look and its cost, of which forgetting thousands of processes again is a part."""
        begin = time.thread_time()
        sight = self._look()
        return sight, time.thread_time() - begin

    def _look(self) -> Sight:
        at = time.monotonic()
        snapshot = self._house.sampler.scan()
        picture = tree.build(snapshot.processes, self._house.config.init_pid)
        ours = self._ours(picture)
        messages = [*self._changes(picture, ours), *self._newcomers(picture)]
        messages += self._sightings(at, snapshot, picture, ours)
        return Sight(messages, _unseen(picture, ours), snapshot.taken_at)

    def _ours(self, picture: tree.Tree) -> Collection[int]:
        """A subreaper shares its PID namespace with others: what is not below it is no concern of its own."""
        if self._house.config.init_role == "subreaper":
            return frozenset((picture.init, *tree.descendants(picture, picture.init)))
        return picture.rows.keys()

    def _changes(self, picture: tree.Tree, ours: Collection[int]) -> list[Message]:
        read = read_cmdline if self._house.config.redact else read_plain_cmdline
        change = self._lineage.take(picture, ours, read)
        messages = list(datagrams(change, self._fresh))
        self._fresh = False
        return messages + [_observed({"kind": "reparented", **fields}) for fields in change.reparented]

    def _newcomers(self, picture: tree.Tree) -> list[Message]:
        """Whoever the init has that it had not: an orphan, maybe, and it looks by itself but now and then."""
        kids = picture.children.get(picture.init, ())
        before, self._of_init = self._of_init, frozenset((pid, picture.rows[pid].starttime) for pid in kids)
        return [] if before is None or self._of_init <= before else [{"t": "look"}]

    def _sightings(
        self, at: float, snapshot: Snapshot, picture: tree.Tree, ours: Collection[int]
    ) -> list[Message]:
        dead = tree.zombies(picture)
        current, limit = self._pids(snapshot)
        groups = by_parent(picture, dead)
        counts = {tree.ident(picture.rows[pid]): len(rows) for pid, rows in groups.items() if pid is not None}
        self._house.memory.add(at, current, counts)
        events = self._zombies.take(at, picture, [row for row in dead if row.pid in ours])
        events += self._level.take(current, limit)
        return [_observed(event) for event in events] + self._changed_census(snapshot, current, limit)

    def _pids(self, snapshot: Snapshot) -> tuple[int | None, int | None]:
        if self._groups is None:
            self._groups = cgroup.find()
        return tasks(snapshot, self._house.config.init_pid, self._groups)

    def _changed_census(self, snapshot: Snapshot, current: int | None, limit: int | None) -> list[Message]:
        """What we cannot count is null: /proc may hide others from us, but the control group counts all."""
        counted = self._house.config.init_pid in snapshot.processes
        census = {
            "t": "census",
            "processes": snapshot.count if counted else None,
            "zombies": snapshot.zombies if counted else None,
            "pids": {"current": current, "max": limit},
        }
        if census == self._census:
            return []
        self._census = census
        return [census]


def _observed(event: Message) -> Message:
    return {"t": "observed", **event}


def _unseen(picture: tree.Tree, ours: Collection[int]) -> list[Key]:
    """Parents whose end the core does not see: those that are not its own children."""
    return [
        (pid, picture.rows[pid].starttime)
        for pid in picture.children
        if pid in ours and pid != picture.init and picture.parents.get(pid) != picture.init
    ]


def read_cmdline(pid: int) -> str | None:
    """As ``read_plain_cmdline``, without its secrets: the history that it goes into is kept for long."""
    return _shown(redact(_words(pid)))


def read_plain_cmdline(pid: int) -> str | None:
    """The command line as one text of at most 200 characters; None where there is none to read."""
    return _shown(_words(pid))


def _words(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            text = file.read(_READ)
    except OSError:
        return []
    words = decode_name(text.rstrip(b"\0")).split("\0")
    return [*words[:-1], words[-1] + "…"] if len(text) == _READ else words  # so that it is known to be cut


def _shown(words: list[str]) -> str | None:
    return " ".join(words)[:_SHOWN] or None
