"""/api/v1/zombies: the dead that nobody has waited for, by the parent that should have."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.house import House
from web.tree import culprits
from web.view import look, served


async def show(request: Request) -> Response:
    """The total, and the culprits, most zombies first."""
    house: House = request.app.state.house
    view = await look(house)
    return await served(
        house, lambda: {"total": view.snapshot.zombies, "culprits": culprits(view.tree, view.describe)}
    )
