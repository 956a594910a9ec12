"""/metrics: decode, ask both sources at once, answer."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web import query
from web.answer import NO_STORE
from web.former import Former
from web.house import House
from web.metrics import CONTENT_TYPES, FORMATS, Figures, Own, render
from web.problem import Problem
from web.sampler import Snapshot
from web.view import picture


async def show(request: Request) -> Response:
    """Prometheus text, or OpenMetrics where Accept prefers it. Raises Problem when the core is silent."""
    house: House = request.app.state.house
    media_type = query.preferred(request, FORMATS)
    state, snapshot = await asyncio.gather(house.link.state(), _snapshot(house))
    own = Own.of(house)
    body = await house.sampler.run(lambda: _body(media_type, state, snapshot, own, house.mirror.former))
    return Response(body, headers={**NO_STORE, "Content-Type": CONTENT_TYPES[media_type]})


async def _snapshot(house: House) -> Snapshot | None:
    try:
        return await house.sampler.snapshot()
    except Problem:  # no /proc: what the core counts is still worth a scrape
        return None


def _body(
    media_type: str, state: dict[str, Any], snapshot: Snapshot | None, own: Own, former: Former
) -> bytes:
    view = None if snapshot is None else picture(snapshot, state, former)
    return render(media_type, Figures(state, view, own))
