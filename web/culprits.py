"""Zombies by the parent that must reap them, and why it does not.

Law of this file: pure. The kernel frees a zombie when its parent waits for it and never before, so there is
always one to name; why it does not wait is read from its state and its signal masks, proc_pid_status(5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from initd import signals
from initd.procfs import Stat, signals_in
from web.tree import Describe, Tree, printable, reference, relation, zombies

NAMES = 10  # distinct names shown of one culprit's zombies, and how many of them are shown themselves
_CHLD = signals.NUMBERS["CHLD"]

WHYS = {
    "init": "{} is the init: it reaps what it finds, and these ended a moment ago",
    "stopped": "{} is stopped, and runs again after CONT",
    "disk_sleep": "{} waits in the kernel, usually for a disk or a network: no signal reaches it",
    "chld_ignored": "{} ignores SIGCHLD now: the kernel reaps what ends from now on, but not these",
    "chld_blocked": "{} blocks SIGCHLD: it is not told of the end of its children, unless by a signalfd",
    "busy": "{} is running: it computes, and has not come to wait",
    "no_wait_seen": "{} sleeps and does not wait: it {} SIGCHLD",
    "unreadable": "{} cannot be looked at: it has ended, or is hidden from web's user",
}
_STATES = {"T": "stopped", "t": "stopped", "D": "disk_sleep"}

Memory = Callable[[Stat], float | None]
Status = Callable[[int], Mapping[str, str] | None]


class Why(NamedTuple):
    """``code`` is one of WHYS, ``detail`` a sentence for a person."""

    code: str
    detail: str


def culprits(tree: Tree, describe: Describe, growth: Memory, status: Status) -> list[dict[str, Any]]:
    """Zombies grouped by the parent that does not wait, most first.

    ``process`` is null where the parent is not to be seen (another namespace's). ``oldest_at`` is
    when the longest-lived of them *started*: the kernel does not tell when a process died. ``growth`` is
    what is remembered of a parent, ``status`` what /proc/PID/status says of a pid now.
    """
    found = []
    for parent, dead in by_parent(tree, zombies(tree)).items():
        row = None if parent is None else tree.rows[parent]
        found.append(
            {
                "process": None if row is None else describe(row),
                "relation": relation(tree, parent),
                "count": len(dead),
                "oldest_at": describe(dead[0])["started_at"],
                "names": _names(dead),
                "zombies": [reference(zombie) for zombie in dead[:NAMES]],
                "growth_per_minute": None if row is None else growth(row),
                "why": why(tree, row, status)._asdict(),
            }
        )
    return sorted(found, key=lambda c: (-c["count"], c["process"]["pid"] if c["process"] else 0))


def by_parent(tree: Tree, dead: Iterable[Stat]) -> dict[int | None, list[Stat]]:
    """The dead of each parent, the oldest first; None is a parent that is not to be seen."""
    groups: dict[int | None, list[Stat]] = {}
    for row in sorted(dead, key=lambda row: (row.starttime, row.pid)):
        groups.setdefault(tree.parents.get(row.pid), []).append(row)
    return groups


def _names(dead: Iterable[Stat]) -> list[str]:
    names = Counter(row.name for row in dead)
    return [name for name, _ in sorted(names.items(), key=lambda n: (-n[1], n[0]))[:NAMES]]


def why(tree: Tree, parent: Stat | None, status: Status) -> Why:
    """Why ``parent`` does not wait. A lasting reason is given rather than a passing one."""
    if parent is None:
        return _why("unreadable", "the parent")
    who = f"{printable(parent.name)}({parent.pid})"
    if parent.pid == tree.init:
        return _why("init", who)
    if parent.state in _STATES:
        return _why(_STATES[parent.state], who)
    masks = status(parent.pid) or {}
    try:
        ignored, blocked, caught = (_CHLD in signals_in(masks[key]) for key in ("SigIgn", "SigBlk", "SigCgt"))
    except (KeyError, ValueError):
        return _why("unreadable", who)
    if ignored or blocked:
        return _why("chld_ignored" if ignored else "chld_blocked", who)
    if parent.state == "R":
        return _why("busy", who)
    return _why("no_wait_seen", who, "catches" if caught else "does not catch")


def _why(code: str, *words: str) -> Why:
    return Why(code, WHYS[code].format(*words))
