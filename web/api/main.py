"""POST /api/v1/main/restart, stop and start, /api/v1/shutdown and /api/v1/drain."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from web import query
from web.answer import answer
from web.order import LONGEST_WAIT, order, outcome


def _operation(what: str) -> Callable[[Request], Awaitable[Response]]:
    async def handler(request: Request) -> Response:
        seconds = query.integer(request, "wait", 0, 0, LONGEST_WAIT)
        reply = await order(request, what)
        return await outcome(request, reply["operation"], seconds)

    return handler


restart = _operation("main.restart")
stop = _operation("main.stop")
start = _operation("main.start")
shutdown = _operation("shutdown")


async def drain(request: Request) -> Response:
    """Readiness off, and nothing else."""
    return answer({"draining": (await order(request, "drain"))["draining"]})
