"""What web saw in /proc and tells the core: families, zombies, who else adopts, how full it is. Pure.

Law of this file: web may be anybody's by now, so everything it says is checked for form and size, and none
of it decides what is done to main. What is not as it should be raises Malformed.
"""

from __future__ import annotations

from initd.allowance import Allowance
from initd.books import Books
from initd.effects import Look
from initd.model import ProcessId
from initd.wire import Malformed, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Json = dict[str, Any]

_LOOK_APART = 0.05  # a web that cries wolf must not have us list our children all day
_TEXT = {"id": 64, "name": 64, "cmdline": 200}  # characters
_EVENTS, _PER_SECOND = 200, 20  # what web may put into the history at once, and then
_FIELDS: dict[str, dict[str, type]] = {  # what an event of web's may say, and as what
    "reparented": {"process": dict, "former_parent": dict, "new_parent": dict},
    "zombie.found": {"process": dict, "culprit": dict, "count": int, "total": int},
    "zombie.gone": {"process": dict, "culprit": dict, "count": int, "total": int},
    "pids.high": {"current": int, "max": int},
    "pids.normal": {"current": int, "max": int},
}


class Sightings:
    """web's half of the observatory, as it arrives."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self._looked = -1.0
        self._allowance = Allowance(_EVENTS, _PER_SECOND)
        self.messages: dict[str, Callable[[Json], None]] = {
            "seen": self._seen,
            "look": self._look,
            "observed": self._observed,
            "census": self._census,
        }

    def _seen(self, message: Json) -> None:
        families = [
            (_process(family["parent"]), [_child(child) for child in family["children"]])
            for family in _listed(message, "families")
        ]
        gone = [_whole(pid) for pid in _listed(message, "gone")]
        fresh = message.get("fresh") is True
        self.books.lineage.seen(families, gone, fresh=fresh)
        if fresh:
            self.books.emit(Look())

    def _look(self, _: Json) -> None:
        """A parent that web watched has ended: its children may be ours now."""
        books = self.books
        if books.now - self._looked >= _LOOK_APART:
            self._looked = books.now
            books.emit(Look())
        elif "look" in books.timers:
            books.timers["look"] = min(books.timers["look"], self._looked + _LOOK_APART)

    def _observed(self, message: Json) -> None:
        kind = message.get("kind")
        if not isinstance(kind, str) or kind not in _FIELDS:
            raise Malformed(f"no event of web's is called {shown(kind)}")
        if not self._allowance.take(self.books.now):  # what web says must not push out what people did
            raise Malformed(f"more than {_PER_SECOND} events a second")
        fields = {name: _field(message.get(name), form) for name, form in _FIELDS[kind].items()}
        self.books.record(kind, **fields)
        if kind == "reparented":
            self.books.ledger.reparented += 1
            if fields["new_parent"] is not None:
                self.books.lineage.took(fields["new_parent"])

    def _census(self, message: Json) -> None:
        pids = message.get("pids")
        current, most = (pids.get("current"), pids.get("max")) if isinstance(pids, dict) else (None, None)
        counted = {"zombies": message.get("zombies"), "current": current, "max": most}
        self.books.census = {
            name: None if number is None else _whole(number) for name, number in counted.items()
        }


def _listed(message: Json, name: str) -> list[Any]:
    value = message.get(name)
    if not isinstance(value, list):
        raise Malformed(f"{name} is not a list")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise Malformed(f"{shown(value)} is not a number of something")
    return value


def _child(pair: object) -> ProcessId:
    if not isinstance(pair, list) or len(pair) != 2:
        raise Malformed("a child is not a pid with a start time")
    return ProcessId(_whole(pair[0]), _whole(pair[1]))


def _field(value: object, form: type) -> Any:
    if form is int:
        return _whole(value)
    return None if value is None else _process(value)


def _process(value: object) -> Json:
    """Only what a process is shown with, and that always; texts are cut."""
    if not isinstance(value, dict):
        raise Malformed("a process is not an object")
    known = {"id": _text("id", value), "pid": _whole(value.get("pid")), "name": _text("name", value)}
    return known | ({"cmdline": _text("cmdline", value)} if "cmdline" in value else {})


def _text(name: str, process: Json) -> str | None:
    text = process.get(name)
    if text is not None and not isinstance(text, str):
        raise Malformed(f"{shown(text)} is not the {name} of a process")
    return text and text[: _TEXT[name]]
