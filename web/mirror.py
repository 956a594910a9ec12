"""The picture of the core's history, built from what the letterbox brings.

Law of this file: pure. No socket, no clock, no event loop; whoever waits leaves a callback. Events are kept
in strict order of their sequence numbers, and a number that is missing for good shows as a ``gap`` event
wherever the history is read: a reader is told what it missed, never left to guess.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from web.answer import encode
from web.former import Former

OPERATIONS = 128  # operations remembered for whoever waits; the core is asked about older ones


class Entry(NamedTuple):
    """One event as it is sent on: ``data`` is its JSON."""

    seq: int
    kind: str
    at: str | None
    data: bytes


def _entry(event: dict[str, Any]) -> Entry:
    seq, kind, at = event["seq"], event["kind"], event.get("at")
    if not isinstance(seq, int) or not isinstance(kind, str):
        raise TypeError("an event has a number and a kind")
    return Entry(seq, kind, at if isinstance(at, str) else None, encode(event))


def _gap(first: int, last: int, at: str | None) -> Entry:
    event = {"seq": last, "at": at, "kind": "gap", "missed": last - first + 1, "first": first, "last": last}
    return Entry(last, "gap", at, encode(event))


class Mirror:
    """``last`` is the newest number we know all about, ``newest`` the newest that is known to exist."""

    def __init__(self, history: int) -> None:
        self._ring: deque[Entry] = deque(maxlen=history)
        self._watchers: set[Callable[[], None]] = set()
        self.operations: dict[int, dict[str, Any]] = {}
        self.former = Former()
        self.last = 0
        self.newest = 0

    @property
    def behind(self) -> bool:
        """Whether the core should be asked for its history after ``last``."""
        return self.newest > self.last

    def heard(self, seq: int) -> None:
        """The core says that events up to ``seq`` exist."""
        self.newest = max(self.newest, seq)

    def take(self, events: Iterable[dict[str, Any]]) -> None:
        """Events as they happen. One that does not follow is left to the history, which has them in order."""
        for entry, event in [(_entry(event), event) for event in events]:  # all are events, or none is taken
            if entry.seq == self.last + 1:
                self._append(entry, event)
            self.heard(entry.seq)
        self.wake()

    def fill(self, after: int, events: Iterable[dict[str, Any]], last: int) -> None:
        """The core's answer about what it keeps after ``after``; what is not in it is gone.

        An answer without events, though there should be some, is such a loss too: otherwise an event too
        long for a datagram would be asked for again for ever.
        """
        found = [(_entry(event), event) for event in events]
        fresh = [(entry, event) for entry, event in found if entry.seq > after]
        for entry, event in fresh:
            if entry.seq > self.last:
                self._append(entry, event)
        if not fresh:
            self.last = max(last, self.last)
        self.heard(max(last, self.last))
        self.wake()

    def _append(self, entry: Entry, event: dict[str, Any]) -> None:
        self._ring.append(entry)
        self.former.take(event)
        self.last = entry.seq

    def operation(self, operation: dict[str, Any]) -> None:
        """An operation began, went on or ended."""
        self.operations[int(operation["id"])] = operation
        while len(self.operations) > OPERATIONS:
            del self.operations[next(iter(self.operations))]
        self.wake()

    def after(
        self, seq: int, kinds: Collection[str] = (), limit: int | None = None
    ) -> tuple[list[Entry], int]:
        """Events after ``seq`` of those ``kinds`` (of all, where none is named), and where to go on.

        Who has a number that does not exist had it from an init before ours, and has seen nothing of ours.
        """
        if seq > self.newest:
            seq = 0
        found = list(islice(self._wanted(seq, kinds), limit))
        cut = limit is not None and len(found) == limit
        # Where to go on never runs backwards, however far behind we are: then events would be told twice.
        return found, found[-1].seq if cut else max(self.last, seq)

    def latest(self, kinds: Collection[str], limit: int) -> tuple[list[Entry], int]:
        """The last ``limit`` events of those ``kinds`` that we still have, and where to go on."""
        first = self._ring[0].seq if self._ring else self.last + 1
        return list(self._wanted(first - 1, kinds))[-limit:], self.last

    def _wanted(self, seq: int, kinds: Collection[str]) -> Iterator[Entry]:
        return (e for e in self._with_gaps(seq) if not kinds or e.kind in kinds or e.kind == "gap")

    def _with_gaps(self, seq: int) -> Iterator[Entry]:
        expected = seq + 1
        for entry in self._since(seq):
            if entry.seq > expected:
                yield _gap(expected, entry.seq - 1, entry.at)
            yield entry
            expected = entry.seq + 1
        if self.last >= expected:
            yield _gap(expected, self.last, None)

    def _since(self, seq: int) -> list[Entry]:
        fresh = []
        for entry in reversed(self._ring):  # from the end: a reader that keeps up looks at little
            if entry.seq <= seq:
                break
            fresh.append(entry)
        return fresh[::-1]

    @contextmanager
    def watched(self, callback: Callable[[], None]) -> Iterator[None]:
        """Within it ``callback`` is called whenever something changed."""
        self._watchers.add(callback)
        try:
            yield
        finally:
            self._watchers.discard(callback)

    def wake(self) -> None:
        """Call whoever watches."""
        for callback in tuple(self._watchers):
            callback()
