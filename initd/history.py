"""The one ordered history: events with gapless sequence numbers, kept encoded. Pure.

Encoded bytes are half the size of dicts and are sent as they are. ``pending`` holds what web has
not been sent yet; the owner takes it once a turn, so that a batch of exits is one datagram.
"""

from __future__ import annotations

from itertools import islice

from initd import wire
from initd.model import EVENT_KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable
    from typing import Any
else:
    from _collections import deque  # the whole of collections costs half a megabyte


_LEAST = 65_536  # bytes; more than one event ever has
_BYTES = 600  # of an event, on average; one has 250 to 500


class History:
    """The newest ``size`` events, each under its sequence number, counted by kind; 0 keeps none.

    They are fewer where they are long: PID 1 stays small, whatever processes are called.
    """

    def __init__(self, size: int) -> None:
        self.last = 0  # sequence number of the newest event; 0 before the first
        self.counts = dict.fromkeys(EVENT_KINDS, 0)
        self._size, self._room = size, max(_LEAST, size * _BYTES)
        self._ring: deque[bytes] = deque()
        self._pending: list[bytes] = []

    @property
    def first(self) -> int:
        """The oldest sequence number still kept; last + 1 when there is none."""
        return self.last - len(self._ring) + 1

    def add(self, kind: str, wall: float, fields: dict[str, Any], *, pending: bool) -> None:
        """Record one event. ``wall`` is seconds since 1970; ``pending`` when web is there to be told."""
        self.last += 1
        self.counts[kind] += 1
        if not self._size:
            return
        event = wire.encode_event({"seq": self.last, "at": wire.rfc3339(wall), "kind": kind, **fields})
        self._ring.append(event)
        self._room -= len(event)
        while len(self._ring) > self._size or self._room < 0:
            self._room += len(self._ring.popleft())
        if pending:
            self._pending.append(event)

    def take_pending(self) -> list[bytes]:
        """What has not been sent yet; it is then the caller's."""
        taken, self._pending = self._pending, []
        return taken

    def after(self, seq: int) -> Iterable[bytes]:
        """Kept events newer than ``seq``, oldest first."""
        return islice(self._ring, max(0, seq + 1 - self.first), None)
