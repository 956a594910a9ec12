"""One look at the house, and the rows that it makes.

Law of this file: answers of the API in, values out; no screen, no clock, no network. Every text in these
values is clean already.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from web.ctl.show import clean, rate, who

MINUTE = 60.0
SHORTEST = 5.0  # seconds that a rate is taken over at least: over one it would jump between 0 and 60


class Process(NamedTuple):
    """One process. ``note`` is what its row says beyond the figures, ``kind`` what it is shown as."""

    id: str
    pid: int
    ppid: int
    name: str
    state: str
    born: float | None
    threads: int | None
    cpu_seconds: float | None
    resident_bytes: int | None
    kind: str  # zombie, culprit, adopted, or nothing of the kind
    note: str

    def says(self, text: str) -> bool:
        """Whether ``text`` is anywhere in what is shown of it."""
        return text.casefold() in f"{self.pid} {self.name} {self.state} {self.note}".casefold()


class Row(NamedTuple):
    """A process at its place in the tree: ``branch`` is drawn before its name."""

    process: Process
    branch: str


class Picture(NamedTuple):
    """What one round of questions answered: lines of text with the style of each part, and the processes."""

    head: list[list[tuple[str, str]]]
    processes: list[Process]
    now: float  # by the clock of the other side: ages are differences of its times


def processes(listed: Iterable[dict[str, Any]], culprits: Iterable[dict[str, Any]]) -> list[Process]:
    """The processes of the API, each culprit with what it has to answer for."""
    blamed = {one["process"]["id"]: _blame(one) for one in culprits if one.get("process")}
    return [_process(one, blamed.get(one["id"])) for one in listed]


def _process(one: dict[str, Any], blame: str | None) -> Process:
    kind, note = "", ""
    if one["state"] == "zombie":
        kind = "zombie"
    elif blame is not None:
        kind, note = "culprit", blame
    elif one.get("adopted"):
        former = one.get("former_parent")
        kind, note = "adopted", f"adopted from {who(former)}" if former else "adopted"
    return Process(
        str(one["id"]),
        int(one["pid"]),
        int(one["ppid"]),
        clean(str(one["name"])),
        clean(str(one["state"])),
        _seconds(one.get("started_at")),
        one.get("threads"),
        one.get("cpu_seconds"),
        one.get("resident_bytes"),
        kind,
        clean(note),
    )


def _seconds(at: str | None) -> float | None:
    return None if at is None else datetime.fromisoformat(at).timestamp()


def _blame(one: dict[str, Any]) -> str:
    """The sentence of the API begins with who it is, as the row does."""
    growth = rate(one.get("growth_per_minute"))
    why = (one.get("why") or {}).get("detail", "").removeprefix(who(one["process"])).strip()
    return f"must reap {one['count']}" + (f", {growth}" if growth else "") + (f": {why}" if why else "")


def rows(found: Iterable[Process], wanted: Callable[[Process], bool] | None = None) -> list[Row]:
    """The tree, one process in a row; with ``wanted`` only those and who is above them."""
    known = {process.pid: process for process in found}
    if wanted is not None:
        known = _with_ancestors(known, [process for process in known.values() if wanted(process)])
    children: dict[int, list[int]] = {}
    for pid in sorted(known):
        children.setdefault(known[pid].ppid, []).append(pid)
    roots = [pid for pid in sorted(known) if known[pid].ppid not in known]
    drawn: dict[int, Row] = {}
    # A pid that was used again while /proc was read can make a circle: then any of it is a root.
    for start in (*roots, *sorted(known)):
        _draw(start, known, children, drawn)
    return list(drawn.values())


def _with_ancestors(known: dict[int, Process], wanted: list[Process]) -> dict[int, Process]:
    kept: dict[int, Process] = {}
    for process in wanted:
        above: Process | None = process
        while above is not None and above.pid not in kept:
            kept[above.pid] = above
            above = known.get(above.ppid)
    return kept


def _draw(
    start: int, known: dict[int, Process], children: dict[int, list[int]], drawn: dict[int, Row]
) -> None:
    stack = [(start, "", "")]
    while stack:
        pid, branch, indent = stack.pop()
        if pid in drawn:
            continue
        drawn[pid] = Row(known[pid], branch)
        kids = children.get(pid, [])
        for kid in reversed(kids):
            last = kid == kids[-1]
            stack.append((kid, indent + ("└─" if last else "├─"), indent + ("  " if last else "│ ")))


class Meter:
    """How fast a counter grows, over the last minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def read(self, now: float, total: int) -> float | None:
        """The growth per minute; None until there is something to compare with, or when it began anew."""
        if self._seen and total < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, total))
        while now - self._seen[0][0] > MINUTE:
            self._seen.popleft()
        first, start = self._seen[0]
        return (total - start) / (now - first) * MINUTE if now - first >= SHORTEST else None
