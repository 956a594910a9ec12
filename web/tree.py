"""The process tree of one snapshot: who hangs under whom, as JSON and as text.

Law of this file: pure. Rows come in, values go out; no os, no time, no sockets. Everything is
iterative, since a chain of thousands of processes is a legal tree.

A snapshot is not taken at one instant, so its links can lie: a parent may be gone, or its pid may
already be another's, even in a circle. A parent that started after its child is no parent, and
whatever no root leads to becomes a root itself: every process is in the tree exactly once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from initd.model import PROCESS_STATES
from initd.procfs import Stat

RELATIONS = ("init", "main", "descendant", "adopted", "outside")
DEPTH = 200  # levels of JSON unless asked otherwise
DEEPEST = 300  # json.dumps spends two of Python's 1,000 recursions on each level
_DRAWN = 100  # levels of indentation in text: more would make a chain's text grow with its square

Describe = Callable[[Stat], dict[str, Any]]
Reference = dict[str, Any]


class Tree(NamedTuple):
    """``parents`` and ``children`` are the links that hold; ``order`` is parents before children."""

    rows: Mapping[int, Stat]
    parents: dict[int, int]
    children: dict[int, list[int]]
    roots: list[int]
    order: list[int]
    adopted: frozenset[int]
    init: int
    main: int | None


def ident(row: Stat) -> str:
    """The id of a process: its pid, and the start time that no other with this pid has."""
    return f"{row.pid}-{row.starttime}"


def reference(row: Stat) -> Reference:
    """How an answer or an event names a process."""
    return {"id": ident(row), "pid": row.pid, "name": row.name}


def state_word(letter: str) -> str:
    """Our word for a state letter. Parked, and what a kernel may yet invent, neither runs nor waits: idle."""
    return "dead" if letter == "x" else PROCESS_STATES.get(letter, "idle")


def build(rows: Mapping[int, Stat], init: int, main: int | None = None, web: int | None = None) -> Tree:
    """The tree of ``rows`` (by pid). The three pids are what the core says of itself."""
    parents = {pid: row.ppid for pid, row in rows.items() if _holds(rows, row)}
    children: dict[int, list[int]] = {}
    for pid in sorted(parents):
        children.setdefault(parents[pid], []).append(pid)
    roots = sorted((pid for pid in rows if pid not in parents), key=lambda pid: (pid != init, pid))
    order = list(_walk(roots, children))
    if len(order) < len(rows):
        _cut_circles(rows, parents, children, roots, order)
    adopted = frozenset(children.get(init, ())) - {main, web}
    return Tree(rows, parents, children, roots, order, adopted, init, main)


def _holds(rows: Mapping[int, Stat], row: Stat) -> bool:
    parent = rows.get(row.ppid)
    return parent is not None and parent.pid != row.pid and parent.starttime <= row.starttime


def _walk(start: Iterable[int], children: Mapping[int, list[int]]) -> Iterator[int]:
    stack = list(start)[::-1]
    while stack:
        pid = stack.pop()
        yield pid
        stack.extend(reversed(children.get(pid, ())))


def _cut_circles(
    rows: Mapping[int, Stat],
    parents: dict[int, int],
    children: dict[int, list[int]],
    roots: list[int],
    order: list[int],
) -> None:
    """Make one process of each circle a root; the walk from it then meets all that hangs there."""
    seen = set(order)
    for pid in sorted(rows.keys() - seen):
        if pid not in seen:
            top = _on_circle(pid, parents)
            children[parents.pop(top)].remove(top)
            roots.append(top)
            found = list(_walk([top], children))
            seen.update(found)
            order.extend(found)


def _on_circle(pid: int, parents: Mapping[int, int]) -> int:
    met: set[int] = set()
    while pid not in met:
        met.add(pid)
        pid = parents[pid]
    return pid


def descendants(tree: Tree, pid: int) -> list[int]:
    """Everything below ``pid``, without it."""
    return list(_walk([pid], tree.children))[1:]


def relation(tree: Tree, pid: int | None) -> str:
    """How a parent stands to us: one of RELATIONS. None is a parent that we cannot see."""
    if pid == tree.init:
        return "init"
    if pid is not None and pid == tree.main:
        return "main"
    while pid is not None:
        if pid == tree.main:
            return "descendant"
        if pid in tree.adopted:
            return "adopted"
        pid = tree.parents.get(pid)
    return "outside"


def nested(tree: Tree, starts: Iterable[int], describe: Describe, depth: int = DEPTH) -> list[dict[str, Any]]:
    """Processes with their ``children``; on level ``depth`` they end, and say ``truncated``."""
    top: list[dict[str, Any]] = []
    stack = [(pid, top, 1) for pid in reversed(list(starts))]
    while stack:
        pid, into, level = stack.pop()
        below: list[dict[str, Any]] = []
        node = describe(tree.rows[pid]) | {"children": below}
        into.append(node)
        kids = tree.children.get(pid, [])
        if level < depth:
            stack.extend((kid, below, level + 1) for kid in reversed(kids))
        elif kids:
            node["truncated"] = True
    return top


def _nobody(_: Stat) -> Reference | None:
    return None


def drawn(
    tree: Tree,
    starts: Iterable[int],
    depth: int | None = None,
    former_parent: Callable[[Stat], Reference | None] = _nobody,
) -> str:
    """The tree as text, one process on a line, as pstree draws it; without ``depth`` to the last one.

    Below 100 levels the indentation stays, and the line gives its level instead.
    """
    lines: list[str] = []
    stack = [(pid, "", "", 1) for pid in reversed(list(starts))]
    while stack:
        pid, line, indent, level = stack.pop()
        kids = tree.children.get(pid, [])
        cut = kids and level == depth
        lines.append(line + _label(tree, pid, former_parent(tree.rows[pid])) + (" …" if cut else ""))
        for kid in () if cut else reversed(kids):
            last = kid == kids[-1]
            if level < _DRAWN:
                child = (indent + ("└─" if last else "├─"), indent + ("  " if last else "│ "))
            else:
                child = (f"{indent}[{level + 1}] ", indent)
            stack.append((kid, *child, level + 1))
    return "".join(line + "\n" for line in lines)


def _label(tree: Tree, pid: int, former: Reference | None) -> str:
    row = tree.rows[pid]
    state = state_word(row.state)
    words = [f"{printable(row.name)}({pid})"]
    words += [state] if state not in ("sleeping", "running") else []
    words += ["adopted"] if pid in tree.adopted else []
    words += [f"(was {printable(former['name'] or '?')}({former['pid']}))"] if former else []
    return " ".join(words)


def printable(name: str) -> str:
    """A name fit for a terminal: escapes for control characters, which a process may choose freely."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def zombies(tree: Tree) -> list[Stat]:
    """The dead that nobody has waited for."""
    return [row for row in tree.rows.values() if row.state == "Z"]
