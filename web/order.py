"""Orders to the core: whatever changes something.

Law of this file: an order is given once and never repeated. When its answer does not come, the client learns
whether it may still be carried out (504) or was never sent (503).
"""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web.access import Caller
from web.answer import answer
from web.house import House
from web.link import Silent
from web.problem import Problem
from web.stream import until

PATIENCE = 2.0  # the core answers at once; more than a probe's, as a wrong "unknown" costs a person more
LOOK_AGAIN = 2.0  # the core is asked at times, in case the news of an operation was dropped
LONGEST_WAIT = 300


async def order(request: Request, what: str, **fields: Any) -> dict[str, Any]:
    """Give it, and return the core's reply once the history shows what was done."""
    house: House = request.app.state.house
    caller: Caller = request.state.caller
    by = {"role": caller.role, "peer": caller.peer}
    try:
        reply = await house.link.ask(what, timeout=PATIENCE, by=by, **fields)
    except Silent as silent:
        if not silent.sent:
            raise
        raise Problem(
            "outcome_unknown",
            f"cannot tell whether this was done: no answer within {PATIENCE:g} s; see /api/v1/events",
        ) from None
    await house.link.caught_up(int(reply["seq"]))
    return reply


async def outcome(request: Request, operation: dict[str, Any], seconds: int) -> Response:
    """202 where nobody wants to wait; 200 when it ends in time; else 504.

    Also for who has said all he wants to: the operation has an end, and it takes none of the places.
    """
    headers = {"Location": f"/api/v1/operations/{operation['id']}"}
    if not seconds:
        return answer(operation, 202, headers)
    request.state.patient = True
    operation = await _ended(request, operation, time.monotonic() + seconds)
    if operation["state"] != "running":
        return answer(operation, 200, headers)
    raise Problem(
        "outcome_unknown",
        f"cannot tell the outcome yet: the operation still runs; ask {headers['Location']}",
        headers,
        operation=operation,
    )


async def _ended(request: Request, operation: dict[str, Any], deadline: float) -> dict[str, Any]:
    house: House = request.app.state.house
    number = operation["id"]
    house.mirror.operations.setdefault(number, operation)

    def ended() -> dict[str, Any] | None:
        now = house.mirror.operations.get(number, operation)
        return now if now["state"] != "running" else None

    while (left := deadline - time.monotonic()) > 0 and not house.closing:
        found = await until(house, request.receive, min(left, LOOK_AGAIN), ended)
        if found is not None:
            return found
        try:
            house.mirror.operation((await house.link.ask("operation", id=number))["operation"])
        except Problem:
            continue  # a silent core is no answer either; the deadline ends this
    return house.mirror.operations.get(number, operation)
