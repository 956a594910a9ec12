"""/api/v1/zombies: the dead that nobody has waited for, by the parent that should have; and a nudge."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from initd.procfs import Stat
from web import query
from web.answer import answer
from web.culprits import by_parent, culprits
from web.detail import status_of
from web.house import House
from web.order import order
from web.problem import Problem
from web.tree import ident, reference, zombies
from web.view import View, look, served

LOOKS = (0.05, 0.15, 0.3, 0.5)  # seconds before each, one in all: who listens has waited by the first


async def show(request: Request) -> Response:
    """The total, and the culprits, most zombies first."""
    house: House = request.app.state.house
    view = await look(house)
    return await served(house, lambda: _grouped(house, view))


def _grouped(house: House, view: View) -> dict[str, Any]:
    def growth(parent: Stat) -> float | None:
        return house.memory.culprit_growth(ident(parent))

    found = culprits(view.tree, view.describe, growth, status_of)
    return view.dated(total=view.snapshot.zombies, culprits=found)


async def nudge(request: Request) -> Response:
    """SIGCHLD to the parent, as if one more child had ended; the answer says which zombies that reaped."""
    pid, starttime = query.parse_id(request.path_params["id"])
    house: House = request.app.state.house
    parent, dead = _culprit(await look(house), pid, starttime)
    await order(request, "signal", pid=parent.pid, starttime=parent.starttime, signal="CHLD")
    left = await _left(house, dead)
    counts = {"before": len(dead), "after": left, "helped": left < len(dead)}
    return answer({"process": reference(parent), "signal": "CHLD", **counts})


def _culprit(view: View, pid: int, starttime: int | None) -> tuple[Stat, list[Stat]]:
    """The parent that an id means, itself or by one of its zombies, and its zombies."""
    named = view.find(pid, starttime)
    parent = view.tree.parents.get(named.pid) if named.state == "Z" else named.pid
    dead = by_parent(view.tree, zombies(view.tree)).get(parent, [])
    if parent is None:
        raise Problem(
            "wrong_state", f"cannot nudge the parent of {named.pid}: it is in another PID namespace"
        )
    if not dead:
        raise Problem("wrong_state", f"cannot nudge {named.pid}: it has no zombies, and is none")
    return view.tree.rows[parent], dead


async def _left(house: House, dead: list[Stat]) -> int:
    """How many are still there once they had a second to go. Those that died since do not count."""
    left = len(dead)
    for pause in LOOKS:
        await asyncio.sleep(pause)
        rows = (await house.sampler.snapshot()).processes
        left = sum(one.pid in rows and rows[one.pid].starttime == one.starttime for one in dead)
        if not left:
            break
    return left
