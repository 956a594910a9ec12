"""GET /api/v1/operations/{n}: how far a restart, stop, start or shutdown is."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from web.answer import answer
from web.house import House
from web.problem import Problem

NUMBER_PATTERN = r"^[1-9][0-9]{0,8}$"
_NUMBER = re.compile(NUMBER_PATTERN.replace("$", r"\Z"))


async def show(request: Request) -> Response:
    """The core's own word, not the mirror's: web may be younger than the operation."""
    number = request.path_params["n"]
    if not _NUMBER.match(number):
        raise Problem(
            "malformed", "cannot read the operation's number: it is a whole number from 1", parameter="n"
        )
    house: House = request.app.state.house
    return answer((await house.link.ask("operation", id=int(number)))["operation"])
