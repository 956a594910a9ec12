"""/metrics: decode, ask both sources at once, answer.

Anyone may ask, at any rate: all who do so at once share one answer.
"""

from __future__ import annotations

import asyncio
import gzip
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

LEVEL = 4  # a sixth of the bytes in 0.1 ms; 9 takes twice the time for a twentieth less


async def show(request: Request) -> Response:
    """Prometheus text, or OpenMetrics where Accept prefers it. Raises Problem when the core is silent."""
    house: House = request.app.state.house
    media_type = query.preferred(request, FORMATS)
    zipped = query.takes_gzip(request)
    body = await house.scrapes.join((media_type, zipped), lambda: _scrape(house, media_type, zipped))
    encoding = {"Content-Encoding": "gzip"} if zipped else {}
    return Response(body, headers={**NO_STORE, **encoding, "Content-Type": CONTENT_TYPES[media_type]})


async def _scrape(house: House, media_type: str, zipped: bool) -> bytes:
    looking = house.sampler.begin()  # while the core is asked
    state = await house.link.state()
    snapshot = await _seen(looking)
    own = Own.of(house)

    def body() -> bytes:
        text = _body(media_type, state, snapshot, own, house.mirror.former)
        return gzip.compress(text, LEVEL) if zipped else text

    return await house.sampler.run(body)


async def _seen(looking: asyncio.Future[Snapshot]) -> Snapshot | None:
    try:
        return await asyncio.shield(looking)
    except Problem:  # no /proc: what the core counts is still worth a scrape
        return None


def _body(
    media_type: str, state: dict[str, Any], snapshot: Snapshot | None, own: Own, former: Former
) -> bytes:
    view = None if snapshot is None else picture(snapshot, state, former)
    return render(media_type, Figures(state, view, own))
