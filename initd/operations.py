"""Restarts, stops and starts that somebody asked for: numbered, and remembered for a while. Pure."""

from __future__ import annotations

from initd import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import OrderedDict
    from typing import Any
else:
    from _collections import OrderedDict  # the whole of collections costs half a megabyte

_KEPT = 100  # finished operations remembered; a client waits for one, and asks soon


class Operations:
    """At most one is running: a new one of another kind supersedes it, one of the same kind joins it."""

    def __init__(self) -> None:
        self._all: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._last = 0
        self._running: dict[str, Any] | None = None
        self.changed: list[dict[str, Any]] = []  # copies to be pushed to web; taken by the owner

    def get(self, number: int) -> dict[str, Any] | None:
        return self._all.get(number)

    @property
    def by(self) -> dict[str, Any] | None:
        """Who asked for what is under way."""
        return self._running["by"] if self._running is not None else None

    def begin(self, action: str, wall: float, by: dict[str, Any] | None = None) -> dict[str, Any]:
        """The operation for this action: a new one, or the running one of the same action."""
        if self._running is not None:
            if self._running["action"] == action:
                return self._running
            self.finish("failed", wall, f"superseded by {action}")
        self._last += 1
        operation: dict[str, Any] = {
            "id": self._last,
            "action": action,
            "state": "running",
            "started_at": wire.rfc3339(wall),
            "ended_at": None,
            "detail": None,
            "by": by,
        }
        self._all[self._last] = self._running = operation
        if len(self._all) > _KEPT:
            self._all.popitem(last=False)
        self.changed.append(dict(operation))
        return operation

    def finish(self, state: str, wall: float, detail: str, *actions: str) -> None:
        """End the running operation, if it is one of ``actions`` (any, when none are named)."""
        operation = self._running
        if operation is None or (actions and operation["action"] not in actions):
            return
        operation.update(state=state, ended_at=wire.rfc3339(wall), detail=detail)
        self._running = None
        self.changed.append(dict(operation))
