"""From whom an orphan was adopted: what web saw of families before, and what can be inferred. Pure.

Law of this file: the kernel does not tell an orphan's former parent, so it has to have been seen while both
were alive; web looks, and this remembers, because it outlives web. What was not seen is inferred only from
the leader of the orphan's process group or session, and only where that has ended; else it is unknown,
and the answer says why.
"""

from __future__ import annotations

from initd import wire
from initd.inputs import Elder
from initd.model import ProcessId, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Collection, Iterable
    from typing import Any

    Json = dict[str, Any]
else:
    from _collections import deque  # the whole of collections costs half a megabyte

MOST_FAMILIES = 10_000  # processes whose parent is remembered, by its id
MOST_PARENTS = 2_000  # and parents themselves, of a kilobyte at worst
MOST_NAMES = 200  # former parents told apart in the summary; the rest is one
_OTHERS = "(others)"
_SAMPLE = 101  # lifetimes that a median is made of
_RECENT = 32  # former parents of one name that are still told apart
_TAKERS = 60  # subreapers that were seen to adopt, newest last


@record
class Origin:
    """``parent`` as an event has it, or None; ``how`` we know, or ``why`` we do not."""

    parent: Json | None
    how: str | None
    why: str | None


class _Group:
    """The orphans of all former parents that had one name."""

    def __init__(self) -> None:
        self.orphans = self.dead = 0
        self.how = {"seen": 0, "inferred": 0}
        self.parents = 0
        self.recent: deque[object] = deque(maxlen=_RECENT)
        self.last: Json = {}
        self.lifetimes: deque[float] = deque(maxlen=_SAMPLE)

    def came_from(self, parent: Json, how: str) -> None:
        """One of its orphans; a parent that was not among the last ones is another one."""
        self.how[how] += 1
        self.last = parent
        key = parent["id"] or parent["pid"]
        if key not in self.recent:
            self.parents += 1
            self.recent.append(key)

    def counts(self) -> Json:
        ordered = sorted(self.lifetimes)
        return {
            "orphans": self.orphans,
            "alive": self.orphans - self.dead,
            "dead": self.dead,
            "median_lifetime_seconds": ordered[len(ordered) // 2] if ordered else None,
        }

    def described(self, name: str) -> Json:
        return {
            "name": name,
            "cmdline": self.last.get("cmdline"),
            "last": {"id": self.last.get("id"), "pid": self.last.get("pid")},
            "parents": self.parents,
            **self.counts(),
            "how": self.how,
        }


class Lineage:
    """Families as web saw them, orphans by former parent, and who else adopts."""

    def __init__(self) -> None:
        self.attended = False  # web has looked at least once
        self.subreapers: dict[str, Json] = {}
        self._families: dict[int, tuple[int, int, str]] = {}  # child -> start time, its parent's pid and id
        self._earlier: dict[int, tuple[int, int, str]] = {}
        self._parents: dict[int, Json] = {}
        self._ended: set[int] = set()  # of these, those that ended; who is met from the next look on is
        self._past: set[int] = set()  # no child of theirs, but of another process with that pid
        self._groups: dict[str | None, _Group] = {None: _Group()}
        self._living: dict[int, str | None] = {}  # an orphan that is alive -> its group

    # --- what web saw ------------------------------------------------------------------------------

    def seen(
        self, families: Iterable[tuple[Json, list[ProcessId]]], gone: Iterable[int], *, fresh: bool
    ) -> None:
        """The difference to what was seen before; ``fresh`` when it is a new web that looks.

        What an earlier web saw is still true of those that became orphans before the new one looked.
        """
        if fresh:
            self._earlier, self._families = self._families, {}
            self._ended.update(self._parents)  # until they are told again
        self.attended = True
        for pid in gone:
            self._families.pop(pid, None)
            self.over(pid)
        for parent, children in families:
            self._remember(parent)
            for child in children:
                if len(self._families) < MOST_FAMILIES or child.pid in self._families:
                    self._families[child.pid] = child.starttime, parent["pid"], parent["id"]

    def looked(self) -> None:
        """All orphans that there are have been met."""
        self._earlier.clear()
        self._past |= self._ended
        self._ended.clear()

    def over(self, pid: int) -> None:
        """A process has ended: who gets its pid now is another one."""
        if pid in self._parents:
            self._ended.add(pid)

    def _remember(self, parent: Json) -> None:
        self._forget(parent["pid"])
        self._parents[parent["pid"]] = parent
        if len(self._parents) > MOST_PARENTS:
            self._forget(next(iter(self._parents)))  # the one that was heard of longest ago

    def _forget(self, pid: int) -> None:
        self._parents.pop(pid, None)
        self._ended.discard(pid)
        self._past.discard(pid)

    def took(self, subreaper: Json) -> None:
        """Somebody else was seen to adopt."""
        self.subreapers[str(subreaper["id"])] = subreaper
        if len(self.subreapers) > _TAKERS:
            del self.subreapers[next(iter(self.subreapers))]

    # --- an orphan ---------------------------------------------------------------------------------

    def adopted(self, process: ProcessId, elders: tuple[Elder, ...]) -> Origin:
        """One that is met for the first time: from whom, and into the summary with it."""
        origin = self._origin(process, elders)
        name = origin.parent["name"] if origin.parent is not None else None
        key = name if name in self._groups or len(self._groups) < MOST_NAMES else _OTHERS
        group = self._groups.setdefault(key, _Group())
        group.orphans += 1
        if origin.parent is not None and origin.how is not None:
            group.came_from(origin.parent, origin.how)
        self._living[process.pid] = key
        return origin

    def many_ended(self, pids: Collection[int]) -> None:
        """The same of many that nobody looked at: they were reaped in a storm."""
        met = self._living.keys() & pids
        for pid in met:
            self.ended(pid, None)
        unseen = len(pids) - len(met)
        self._groups[None].orphans += unseen
        self._groups[None].dead += unseen
        self._ended |= self._parents.keys() & pids

    def ended(self, pid: int, seconds: float | None) -> None:
        """An orphan was reaped, which had been met before."""
        group = self._groups[self._living.pop(pid, None)]
        group.dead += 1
        if seconds is not None:
            group.lifetimes.append(seconds)

    def _origin(self, process: ProcessId, elders: tuple[Elder, ...]) -> Origin:
        for families in (self._families, self._earlier):
            started, pid, identity = families.pop(process.pid, (-1, 0, ""))
            parent = self._parents.get(pid)
            if parent is not None and (started, parent["id"]) == (process.starttime, identity):
                return Origin(parent, "seen", None)
        for elder in elders:
            if elder.starttime <= process.starttime:
                return Origin(self._known(elder) or _described(elder), "inferred", None)
        if not self.attended:
            return Origin(None, None, "nobody looked: web was not up yet")
        return Origin(None, None, "its parent came and went between two looks, and led no group of its own")

    def _known(self, elder: Elder) -> Json | None:
        """What web saw of a leader, unless that was an earlier process with its pid."""
        known = self._parents.get(elder.pid)
        if known is None or elder.pid in self._past:
            return None
        same = elder.starttime == 0 or known["id"] == str(ProcessId(elder.pid, elder.starttime))
        return known if same else None

    # --- the answer --------------------------------------------------------------------------------

    def summary(self) -> Json:
        """GET /api/v1/lineage: by former parent, most orphans first."""
        named = [(name, group) for name, group in self._groups.items() if name is not None]
        named.sort(key=lambda pair: -pair[1].orphans)
        shown = _fitting(group.described(name) for name, group in named)
        return {
            "former_parents": shown,
            "left_out": len(named) - len(shown),
            "unknown": self._groups[None].counts(),
            "subreapers": _fitting(self.subreapers.values()),
        }


def _fitting(entries: Iterable[Json]) -> list[Json]:
    """As many as half a datagram holds."""
    taken, room = [], wire.LIMIT // 2 - 1_000
    for entry in entries:
        room -= len(wire.encode(entry))
        if room < 0:
            break
        taken.append(entry)
    return taken


def _described(elder: Elder) -> Json:
    """A leader of which only its number may be known, since it has been reaped."""
    identity = f"{elder.pid}-{elder.starttime}" if elder.starttime else None
    return {"id": identity, "pid": elder.pid, "name": elder.name, "cmdline": None}
