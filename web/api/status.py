"""GET /api/v1/status: init, main, web, counters and limits in one answer."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from initd.wire import rfc3339
from web import cgroup
from web.answer import answer
from web.house import House
from web.memory import Memory, minutes_until_full
from web.redact import redact
from web.room import room, tasks
from web.sampler import Snapshot
from web.say import say
from web.worker import Job

NOTHING: dict[str, Any] = {
    "processes": None,
    "zombies": None,
    "pids": {"current": None, "max": None, "growth_per_minute": None, "minutes_until_full": None},
    "room": None,
}


async def show(request: Request) -> Response:
    """What the core knows, and what /proc and the control group show."""
    house: House = request.app.state.house
    looking = house.sampler.begin()  # while the core is asked
    state = await house.link.state()
    status = state["status"]
    if house.config.redact:
        status = {**status, "main": {**status["main"], "argv": redact(status["main"]["argv"])}}
    seen = await house.sampler.run(lambda: _seen(house, status["main"].get("pid"), looking))
    listen = [{"kind": listener.kind, "address": listener.address} for listener in house.config.listen]
    who = request.state.caller  # a page can say what its reader may do, before he tries
    asking = {"role": who.role, "known": who.known}
    return answer({**status, **seen, "listen": listen, "caller": asking})


def _snapshot(looking: Job[Snapshot]) -> Snapshot | None:
    try:
        return looking.result()
    except Exception as error:  # noqa: BLE001  whatever /proc lacks, what the core knows is still worth an answer
        say(f"cannot look at the processes for the status: {error!r}")
        return None


def _seen(house: House, main: int | None, looking: Job[Snapshot]) -> dict[str, Any]:
    """On the sampler's thread, after the look."""
    snapshot = _snapshot(looking)
    own = {"snapshot": _own(house.memory)}
    if snapshot is None:
        return NOTHING | own
    groups = cgroup.find()
    current, limit = tasks(snapshot, house.config.init_pid, groups)
    growth = house.memory.pids_growth()
    hidden = house.config.init_pid not in snapshot.processes  # /proc hides others from us: no counting then
    return own | {
        "processes": None if hidden else snapshot.count,
        "zombies": None if hidden else snapshot.zombies,
        "pids": {
            "current": current,
            "max": limit,
            "growth_per_minute": growth,
            "minutes_until_full": minutes_until_full(current, limit, growth),
        },
        "room": room(groups, main),
    }


def _own(memory: Memory) -> dict[str, Any]:
    """When the observer last looked, and how long it now waits before it looks again."""
    taken_at = None if memory.taken_at is None else rfc3339(memory.taken_at)
    return {"taken_at": taken_at, "interval_seconds": memory.interval}
