"""/api/v1/processes: the flat list, and one process in detail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from initd.model import PROCESS_STATES
from initd.procfs import Stat, decode_name
from web import query
from web.detail import detail as detail_of
from web.detail import is_nested
from web.heirs import heir, known_subreapers
from web.house import House
from web.problem import Problem
from web.tree import Reference, state_word
from web.view import View, look, served

STATES = tuple(PROCESS_STATES.values())
LONGEST_NAME = 64
MOST = 10_000
_KEPT = 15  # bytes of a name that the kernel keeps, TASK_COMM_LEN less the NUL; proc_pid_comm(5)


async def listing(request: Request) -> Response:
    """All processes by pid; ``name`` is the whole name, of which the kernel keeps 15 bytes."""
    state = query.choice(request, "state", STATES)
    adopted = query.boolean(request, "adopted")
    name = query.text(request, "name", LONGEST_NAME)
    limit = query.integer(request, "limit", None, 1, MOST)
    house: House = request.app.state.house
    view = await look(house)

    def wanted(row: Stat) -> bool:
        return (
            (state is None or state_word(row.state) == state)
            and (adopted is None or (row.pid in view.tree.adopted) == adopted)
            and (name is None or row.name in (name, _as_kept(name)))
        )

    return await served(house, lambda: _list(view, wanted, limit))


def _list(view: View, wanted: Callable[[Stat], bool], limit: int | None) -> dict[str, object]:
    rows = sorted(filter(wanted, view.snapshot.processes.values()))  # a row begins with its pid
    return view.dated(processes=[view.describe(row) for row in rows[:limit]], total=len(rows))


def _as_kept(name: str) -> str:
    return decode_name(name.encode("utf-8", "surrogateescape")[:_KEPT])


async def detail(request: Request) -> Response:
    """One process by its id; what web's user may not read is null and named in ``unreadable``."""
    pid, starttime = query.parse_id(request.path_params["id"])
    house: House = request.app.state.house
    view, subreapers = await asyncio.gather(look(house), _subreapers(house))
    row = view.find(pid, starttime)
    plain = not house.config.redact

    def describe() -> dict[str, Any]:
        heirs = {"would_adopt": _would_adopt(view, row, subreapers)}
        return {**view.describe(row), **detail_of(row, plain=plain), **heirs}

    return await served(house, describe)


async def _subreapers(house: House) -> list[Reference]:
    try:
        found: list[Reference] = (await house.link.shared("lineage"))["subreapers"]
        return found
    except Problem:  # a core that does not say: less is sure, and the rest is still worth an answer
        return []


def _would_adopt(view: View, row: Stat, subreapers: list[Reference]) -> dict[str, object] | None:
    if row.state == "Z":
        return None  # it has given them away already
    known = known_subreapers(view.tree, view.state["status"]["init"]["role"], subreapers)
    return heir(view.tree, row, known, is_nested(row.pid))._asdict()
