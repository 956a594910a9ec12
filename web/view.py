"""What the API's pictures of processes are made of: one snapshot, one answer of the core, one tree.

Law of this file: it brings the two sources together, finds a process by its guarded id, and makes
the responses on the sampler's thread, so that 2,000 processes do not hold up a probe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from starlette.responses import Response

from initd.procfs import Stat
from initd.wire import rfc3339
from web import tree
from web.answer import answer, encode
from web.former import Former
from web.heirs import NAMESPACE_INIT
from web.house import House
from web.problem import Problem
from web.sampler import Snapshot
from web.tree import Reference


class View(NamedTuple):
    """``state`` is the core's answer: its ``status`` and ``counters``."""

    snapshot: Snapshot
    tree: tree.Tree
    state: dict[str, Any]
    former: Former

    def describe(self, row: Stat) -> dict[str, Any]:
        """The ``process`` of the API."""
        return self.snapshot.describe(row, row.pid in self.tree.adopted, self.former_parent(row))

    def former_parent(self, row: Stat) -> Reference | None:
        """Whose child it was before the init, or another, adopted it, where that is known."""
        return self.former.of(tree.ident(row), None if self.adopted_by_us(row) else row.ppid)

    def adopted_by_us(self, row: Stat) -> bool:
        """By the init itself, not as an observer saw it."""
        return row.pid in self.tree.adopted and self.state["status"]["init"]["role"] != "observer"

    def dated(self, **members: Any) -> dict[str, Any]:
        """An answer that says how old its picture is."""
        return {"taken_at": rfc3339(self.snapshot.taken_at), **members}

    def find(self, pid: int, starttime: int | None) -> Stat:
        """The process of an id. Raises Problem: no_such_process, reused_pid."""
        row = self.snapshot.processes.get(pid)
        if row is None:
            raise no_such_process(pid)
        if starttime not in (None, row.starttime):
            raise Problem(
                "reused_pid",
                f"cannot find the process {pid}-{starttime}: its pid is now {row.pid}-{row.starttime}",
            )
        return row


def no_such_process(pid: int) -> Problem:
    """It was never there, has ended, or is hidden from web's user."""
    return Problem(
        "no_such_process", f"cannot find a process with pid {pid}: it has ended or is not to be seen"
    )


def picture(snapshot: Snapshot, state: dict[str, Any], former: Former) -> View:
    """Both sources as one. Pure, but slow enough for the sampler's thread."""
    status = state["status"]
    init, main, web = (status[who]["pid"] for who in ("init", "main", "web"))
    if status["init"]["role"] == "observer":
        return View(snapshot, _watched(snapshot, former), state, former)
    found = tree.build(snapshot.processes, init, main, web)
    own = frozenset(state["counters"].get("own", ()))  # commands of the init's, and its spare: no orphans
    return View(snapshot, found._replace(adopted=found.adopted - own), state, former)


def _watched(snapshot: Snapshot, former: Former) -> tree.Tree:
    """An observer's tree: the init is somebody else's, and adopted are those that came to it as we looked."""
    found = tree.build(snapshot.processes, NAMESPACE_INIT)
    kids = (snapshot.processes[pid] for pid in found.children.get(NAMESPACE_INIT, ()))
    return found._replace(
        adopted=frozenset(row.pid for row in kids if former.of(tree.ident(row), NAMESPACE_INIT))
    )


async def look(house: House) -> View:
    """A fresh view. Raises Problem when the core is silent or /proc cannot be listed."""
    looking = house.sampler.begin()  # while the core is asked
    state = await house.link.state()
    return await house.sampler.run(lambda: picture(looking.result(), state, house.mirror.former))


async def served(house: House, make: Callable[[], dict[str, Any]]) -> Response:
    """What ``make`` returns, as JSON; made and encoded on the sampler's thread."""
    return answer(await house.sampler.run(lambda: encode(make())))
