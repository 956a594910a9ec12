"""Who is whose child, scan by scan: what the core has not been told yet, and who went to a subreaper.

Law of this file: pure. A tree comes in, the difference to the one before goes out, in the words of
docs/letterbox.md. A change of parent to the init is not told: that is the adoption, and the core still
needs to know whose child the orphan was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from initd.procfs import Stat
from initd.wire import encode
from web.tree import Tree, ident, reference

FULL = 16_384  # bytes of one datagram: a quarter of what may be, as PID 1 keeps no memory for large ones
_MOST = 400  # children in one family, of at most 31 bytes each: [4194304,18446744073709551615],

ReadCmdline = Callable[[int], str | None]


class Parent(NamedTuple):
    """A process with children, as it was when it was last looked at."""

    id: str
    pid: int
    name: str
    cmdline: str | None


class Family(NamedTuple):
    """A parent, and those of its children that there is news of: pid and start time."""

    parent: Parent
    children: list[tuple[int, int]]


class Change(NamedTuple):
    """What one scan showed beyond the one before; ``reparented`` are the fields of such events."""

    families: list[Family]
    gone: list[int]
    reparented: list[dict[str, Any]]


class Lineage:
    """What the core has been told so far."""

    def __init__(self) -> None:
        self._children: dict[int, tuple[int, Parent]] = {}  # start time, and the parent last told
        self._parents: dict[str, Parent] = {}

    def take(self, tree: Tree, ours: Collection[int], cmdline: ReadCmdline) -> Change:
        """The difference that ``tree`` makes. Parents that are not among ``ours`` are not told of."""
        moved = dict(self._moved(tree))
        left = [pid for pid, (start, _) in self._children.items() if not _is(tree.rows.get(pid), start)]
        for pid in (*moved, *left):
            del self._children[pid]
        families = list(self._families(tree, ours, cmdline))
        known = {parent.id: parent for _, parent in self._children.values()}
        self._parents = {key: parent for key, parent in self._parents.items() if key in known}
        return Change(families, [p for p in (*moved, *left) if p not in self._children], [*moved.values()])

    def _moved(self, tree: Tree) -> Iterator[tuple[int, dict[str, Any]]]:
        """Only the parent's end gives a process another one; whoever is not the init must be a subreaper."""
        for pid, (start, before) in self._children.items():
            now = tree.parents.get(pid, tree.init)
            if now not in (before.pid, tree.init) and _is(tree.rows[pid], start):
                yield (
                    pid,
                    {
                        "process": reference(tree.rows[pid]),
                        "former_parent": before._asdict(),
                        "new_parent": reference(tree.rows[now]),
                    },
                )

    def _families(self, tree: Tree, ours: Collection[int], cmdline: ReadCmdline) -> Iterator[Family]:
        for pid, kids in tree.children.items():
            if pid == tree.init or pid not in ours:
                continue
            parent = self._parent(tree.rows[pid], cmdline)
            news = [
                (kid, tree.rows[kid].starttime)
                for kid in kids
                if (told := self._children.get(kid)) is None or told[1] is not parent
            ]
            if news:
                self._children.update((kid, (start, parent)) for kid, start in news)
                yield Family(parent, news)

    def _parent(self, row: Stat, cmdline: ReadCmdline) -> Parent:
        """The one we know, or a new one where it is new or bears another name: it has executed something."""
        key = ident(row)
        known = self._parents.get(key)
        if known is not None and known.name == row.name:
            return known
        if row.state == "D":  # reading the memory of one that hangs may hang as well; told again next time
            return Parent(key, row.pid, row.name, None)
        known = self._parents[key] = Parent(key, row.pid, row.name, cmdline(row.pid))
        return known


def _is(row: Stat | None, starttime: int) -> bool:
    return row is not None and row.starttime == starttime


def datagrams(change: Change, fresh: bool) -> Iterator[dict[str, Any]]:
    """The messages ``seen`` that tell of it; none where there is nothing to tell, unless ``fresh``."""
    families = [part for family in change.families for part in _parts(family)]
    items: Iterable[tuple[str, Any]] = [("gone", pid) for pid in change.gone]
    items = [*items, *(("families", family) for family in families)]
    message, size = _empty(fresh), 0
    for key, item in items:
        length = 8 if key == "gone" else len(encode(item)) + 1
        if size and size + length > FULL:
            yield message
            message, size = _empty(False), 0
        message[key].append(item)
        size += length
    if size or fresh:
        yield message


def _empty(fresh: bool) -> dict[str, Any]:
    return {"t": "seen", "fresh": fresh, "families": [], "gone": []}


def _parts(family: Family) -> Iterator[dict[str, Any]]:
    parent = family.parent._asdict()
    for first in range(0, len(family.children), _MOST):
        yield {"parent": parent, "children": family.children[first : first + _MOST]}
