"""Who would adopt a process' children if it ended now: the three steps of the kernel.

Law of this file: pure. find_new_reaper in kernel/exit.c: a living thread of the same process; else the
nearest ancestor that is a subreaper; else the init of its PID namespace. Nothing in /proc says who is a
subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): it is known of whoever was seen to adopt, and of ourselves.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from initd.procfs import Stat
from web.tree import Reference, Tree, ident, printable, reference

NAMESPACE_INIT = 1
_SHOWN = 3  # ancestors named in a sentence


class Heir(NamedTuple):
    """The ``would_adopt`` of the API. ``process`` is None where it is not to be seen, or there is none."""

    process: Reference | None
    step: str  # subreaper, init
    sure: bool
    live_thread: bool
    detail: str


def heir(tree: Tree, row: Stat, subreapers: Container[str], nested: bool) -> Heir:
    """The heir of ``row``. ``subreapers`` are ids; ``nested``: it lives in a PID namespace below ours."""
    threads = row.threads > 1

    def found(process: Stat | None, step: str, sure: bool, detail: str) -> Heir:
        more = "; if only one of its threads ends, its children stay with the others" if threads else ""
        return Heir(None if process is None else reference(process), step, sure, threads, detail + more)

    if nested:
        return found(None, "init", False, "the init of its own PID namespace, unless a subreaper is nearer")
    if row.pid == NAMESPACE_INIT:
        return found(None, "init", True, "nobody: with its init the kernel ends the whole PID namespace")
    between: list[str] = []
    for ancestor in _ancestors(tree, row.pid):
        if ancestor.pid != NAMESPACE_INIT and ident(ancestor) in subreapers:
            detail = f"{_who(ancestor)}, the nearest subreaper that is known"
            return found(ancestor, "subreaper", not between, detail + _unless(between))
        if ancestor.pid != NAMESPACE_INIT:
            between.append(_who(ancestor))
    init = tree.rows.get(NAMESPACE_INIT)
    who = "the init of the PID namespace" if init is None else f"{_who(init)}, the init of the PID namespace"
    return found(init, "init", not between, who + _unless(between))


def _ancestors(tree: Tree, pid: int) -> Iterator[Stat]:
    while (parent := tree.parents.get(pid)) is not None:
        pid = parent
        yield tree.rows[pid]


def _who(row: Stat) -> str:
    return f"{printable(row.name)}({row.pid})"


def _unless(between: list[str]) -> str:
    if not between:
        return ""
    shown = ", ".join(between if len(between) <= _SHOWN else [*between[:_SHOWN], "…"])
    return f", unless {'one of ' * (len(between) > 1)}{shown} is a subreaper: /proc does not tell"


def known_subreapers(tree: Tree, role: str, seen: Iterable[Reference]) -> frozenset[str]:
    """Ids of those the core saw adopt; and the init itself, where that is what it made itself."""
    told = {str(one["id"]) for one in seen}
    ours = tree.rows.get(tree.init)
    return frozenset(told | {ident(ours)} if role == "subreaper" and ours is not None else told)
