"""GET /api/v1/lineage: whose children the orphans were, by former parent. The core keeps the ledger."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.answer import answer
from web.house import House

MEMBERS = ("former_parents", "left_out", "unknown", "subreapers")


async def show(request: Request) -> Response:
    """What the core says, without what belongs to the letterbox."""
    house: House = request.app.state.house
    reply = await house.link.shared("lineage")
    return answer({name: reply[name] for name in MEMBERS})
