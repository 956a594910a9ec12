"""What the observer has the core write into the history: zombies found and gone, too many tasks, and no more.

Law of this file: pure. The fields of events come out, one for a culprit and scan, however many its zombies.
A zombie counts once it stayed: every process is one for the moment until its parent waits. A culprit that
goes on and on is told of now and then, or its zombies would push everything else out of the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from initd.procfs import Stat
from web.tree import Reference, Tree, reference

STAYED = 0.5  # seconds between the first scan that saw a zombie and the one that says so
AGAIN = 10.0  # seconds until more zombies of one culprit are news
HIGH, NORMAL = 0.8, 0.7  # parts of the limit: above the one, and below the other again

Event = dict[str, Any]


class Case(NamedTuple):
    """A zombie and the parent that does not wait for it: with another parent it is another case."""

    id: tuple[int, int]
    culprit: tuple[int, int] | None


class Zombies:
    """The cases of the scan before, since when each is known, and which of them were found."""

    def __init__(self) -> None:
        self._since: dict[Case, float] = {}
        self._found: dict[Case, tuple[Reference, Reference | None]] = {}
        self._told: dict[tuple[int, int] | None, float] = {}  # when a culprit was last told of

    def take(self, at: float, tree: Tree, dead: Iterable[Stat]) -> list[Event]:
        """The events of one scan, at ``at`` seconds on a clock that only goes forward."""
        cases = {_case(tree, row): row for row in dead}
        self._since = {case: self._since.get(case, at) for case in cases}
        found = {
            case: (reference(row), _reference(tree, tree.parents.get(row.pid)))
            for case, row in cases.items()
            if case not in self._found and at - self._since[case] >= STAYED and self._is_news(case, at)
        }
        leaking = {case.culprit for case in cases}
        self._told = {culprit: when for culprit, when in self._told.items() if culprit in leaking}
        self._told.update((case.culprit, at) for case in found)
        gone = {case: told for case, told in self._found.items() if case not in cases}
        self._found = {case: told for case, told in (self._found | found).items() if case in cases}
        totals = Counter(case.culprit for case in cases if at - self._since[case] >= STAYED)
        return [*_events("zombie.found", found, totals), *_events("zombie.gone", gone, totals)]

    def _is_news(self, case: Case, at: float) -> bool:
        return at - self._told.get(case.culprit, float("-inf")) >= AGAIN


def _events(
    kind: str, cases: dict[Case, tuple[Reference, Reference | None]], totals: Counter[tuple[int, int] | None]
) -> Iterator[Event]:
    groups: dict[tuple[int, int] | None, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.culprit, []).append(case)
    for culprit, group in groups.items():
        process, parent = cases[group[0]]
        counts = {"count": len(group), "total": totals[culprit]}
        yield {"kind": kind, "process": process, "culprit": parent, **counts}


def _case(tree: Tree, row: Stat) -> Case:
    parent = tree.rows.get(tree.parents.get(row.pid, 0))
    return Case((row.pid, row.starttime), None if parent is None else (parent.pid, parent.starttime))


def _reference(tree: Tree, pid: int | None) -> Reference | None:
    return None if pid is None else reference(tree.rows[pid])


class Level:
    """Whether the tasks in our group come near their limit."""

    def __init__(self) -> None:
        self._high = False

    def take(self, current: int | None, limit: int | None) -> list[Event]:
        """``pids.high`` once from 80 % on, ``pids.normal`` once when it is below 70 % again."""
        if current is None or limit is None:
            return []
        high = current >= limit * (NORMAL if self._high else HIGH)
        if high == self._high:
            return []
        self._high = high
        return [{"kind": "pids.high" if high else "pids.normal", "current": current, "max": limit}]
