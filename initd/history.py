"""The one ordered history: events with gapless sequence numbers, kept encoded. Pure.

Encoded bytes are half the size of dicts and are sent as they are. ``pending`` holds what web has
not been sent yet; the owner takes it once a turn, so that a batch of exits is one datagram.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from initd import wire
from initd.model import EVENT_KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class History:
    """The newest ``size`` events, each under its sequence number, counted by kind; 0 keeps none."""

    def __init__(self, size: int) -> None:
        self.last = 0  # sequence number of the newest event; 0 before the first
        self.counts = dict.fromkeys(EVENT_KINDS, 0)
        self._ring: deque[bytes] = deque(maxlen=size)
        self._pending: list[bytes] = []

    @property
    def first(self) -> int:
        """The oldest sequence number still kept; last + 1 when there is none."""
        return self.last - len(self._ring) + 1

    def add(self, kind: str, wall: float, fields: dict[str, Any], *, pending: bool) -> None:
        """Record one event. ``wall`` is seconds since 1970; ``pending`` when web is there to be told."""
        self.last += 1
        self.counts[kind] += 1
        if not self._ring.maxlen:
            return
        event = wire.encode_event({"seq": self.last, "at": wire.rfc3339(wall), "kind": kind, **fields})
        self._ring.append(event)
        if pending:
            self._pending.append(event)

    def take_pending(self) -> list[bytes]:
        """What has not been sent yet; it is then the caller's."""
        taken, self._pending = self._pending, []
        return taken

    def after(self, seq: int) -> Iterable[bytes]:
        """Kept events newer than ``seq``, oldest first."""
        return islice(self._ring, max(0, seq + 1 - self.first), None)
