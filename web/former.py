"""Whose children the living orphans were, as the events of their adoption said.

Law of this file: pure, and bounded: an orphan is forgotten when it is reaped, and the oldest when there are
too many. Events are taken as they are; one of another form is passed over.
"""

from __future__ import annotations

from typing import Any

MOST = 10_000
_MOVES = ("adopted", "reparented")  # by us, or by somebody else


class Former:
    """Former parents by the id of the orphan."""

    def __init__(self) -> None:
        self._parents: dict[str, dict[str, Any]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """An event of the history, in order."""
        process, parent = event.get("process"), event.get("former_parent")
        if not isinstance(process, dict):
            return
        orphan = str(process.get("id"))
        if event["kind"] == "reaped":
            self._parents.pop(orphan, None)
        elif event["kind"] in _MOVES and isinstance(parent, dict):
            if len(self._parents) >= MOST:
                del self._parents[next(iter(self._parents))]
            self._parents[orphan] = {key: parent.get(key) for key in ("id", "pid", "name", "cmdline")}

    def of(self, orphan: str) -> dict[str, Any] | None:
        """None where it is not known, or nobody adopted the process."""
        return self._parents.get(orphan)
