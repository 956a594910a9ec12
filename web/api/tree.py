"""/api/v1/tree: who hangs under whom, as nested JSON or as text."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web import query
from web.answer import NO_STORE
from web.house import House
from web.tree import DEEPEST, DEPTH, drawn, nested
from web.view import look, served

_OFFERS = ("application/json", "text/plain")


async def show(request: Request) -> Response:
    """From ``root`` or all roots, down to ``depth`` levels; text goes to the end unless told otherwise."""
    root = query.process_id(request, "root")
    depth = query.integer(request, "depth", None, 1, DEEPEST)
    house: House = request.app.state.house
    view = await look(house)
    starts = view.tree.roots if root is None else [view.find(*root).pid]
    if query.preferred(request, _OFFERS) == "text/plain":
        text = await house.sampler.run(lambda: drawn(view.tree, starts, depth, view.former_parent))
        return Response(text, headers=NO_STORE, media_type="text/plain")
    return await served(
        house, lambda: view.dated(roots=nested(view.tree, starts, view.describe, depth or DEPTH))
    )
