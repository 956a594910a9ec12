"""Rows of a snapshot and trees of them, made up."""

from __future__ import annotations

from initd.procfs import Stat
from web.tree import Tree, build


def row(
    pid: int, ppid: int, name: str = "x", state: str = "S", starttime: int | None = None, threads: int = 1
) -> Stat:
    """A process that started at the tick of its pid, unless told otherwise."""
    start = pid if starttime is None else starttime
    return Stat(pid, name, state, ppid, pid, pid, 0, 0, 0, threads, start, 0, 0)


def tree_of(*rows: Stat, init: int = 1, main: int | None = None, web: int | None = None) -> Tree:
    return build({r.pid: r for r in rows}, init, main, web)
