"""Whose children the living orphans were, as the events of their adoption said.

Law of this file: pure, and bounded: an orphan is forgotten when it is reaped, and the oldest when there are
too many. Events are taken as they are; one of another form is passed over.
"""

from __future__ import annotations

from typing import Any

MOST = 4_000
_MOVES = ("adopted", "reparented")  # by us, or by somebody else


class Former:
    """Former parents by the id of the orphan, and who took it: None is the init."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[object, dict[str, Any]]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """An event of the history, in order."""
        process, parent, taker = (event.get(key) for key in ("process", "former_parent", "new_parent"))
        if not isinstance(process, dict):
            return
        orphan = str(process.get("id"))
        if event["kind"] == "reaped":
            self._parents.pop(orphan, None)
        elif event["kind"] in _MOVES and isinstance(parent, dict):
            if len(self._parents) >= MOST:
                del self._parents[next(iter(self._parents))]
            shown = {key: parent.get(key) for key in ("id", "pid", "name", "cmdline")}
            self._parents[orphan] = taker.get("pid") if isinstance(taker, dict) else None, shown

    def of(self, orphan: str, parent: int | None = None) -> dict[str, Any] | None:
        """None where it is not known, or where whoever took the orphan is its parent no more.

        ``parent`` is the pid of its present one, and None of an orphan that the init has adopted.
        """
        taker, former = self._parents.get(orphan, (None, None))
        return former if taker == parent else None
