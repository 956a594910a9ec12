"""GET /api/v1/status: init, main, web, counters and limits in one answer."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web import cgroup
from web.answer import answer
from web.house import House
from web.say import say


async def show(request: Request) -> Response:
    """What the core knows, and what /proc and the control group show."""
    house: House = request.app.state.house
    state, seen = await asyncio.gather(house.link.state(), _seen(house))
    listen = [{"kind": listener.kind, "address": listener.address} for listener in house.config.listen]
    return answer({**state["status"], **seen, "listen": listen})


async def _seen(house: House) -> dict[str, Any]:
    try:
        snapshot, (current, limit) = await asyncio.gather(
            house.sampler.snapshot(), house.sampler.run(cgroup.pids)
        )
    except Exception as error:  # noqa: BLE001  whatever /proc lacks, what the core knows is still worth an answer
        say(f"cannot look at the processes for the status: {error!r}")
        return {"processes": None, "zombies": None, "pids": {"current": None, "max": None}}
    if house.config.init_pid not in snapshot.processes:  # /proc hides others from us: there is no counting
        return {"processes": None, "zombies": None, "pids": {"current": current, "max": limit}}
    if current is None:  # the root group is not counted: then what we see is all that there is
        current = sum(row.threads for row in snapshot.processes.values())
    return {
        "processes": snapshot.count,
        "zombies": snapshot.zombies,
        "pids": {"current": current, "max": limit},
    }
