"""What a request asks for: its query parameters, process ids and the media type it prefers.

Law of this file: text in, checked values out, or Problem("malformed") that names the parameter.
A parameter that is not asked about here is ignored; one that stands twice is refused, since
either reading would be a guess.
"""

from __future__ import annotations

import re
from typing import TypeVar

from starlette.requests import Request

from web.problem import Problem

D = TypeVar("D")

# What the API's description says of ids is this pattern, to the letter.
ID_PATTERN = r"^[1-9][0-9]{0,6}(-(0|[1-9][0-9]{0,17}))?$"
_ID = re.compile(ID_PATTERN.replace("$", r"\Z"))
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def malformed(name: str, why: str) -> Problem:
    """The problem for parameter ``name``; ``why`` says what would be right."""
    return Problem("malformed", f"cannot read the parameter {name}: {why}", parameter=name)


def single(request: Request, name: str) -> str | None:
    """The one value of a parameter, or None where it is absent."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise malformed(name, "it is given more than once; give it once")
    return values[0] if values else None


def integer(request: Request, name: str, default: D, low: int, high: int) -> int | D:
    """A whole number in decimal digits, from ``low`` to ``high``."""
    value = single(request, name)
    if value is None:
        return default
    if not _INTEGER.match(value) or not low <= int(value) <= high:
        raise malformed(name, f"it is a whole number from {low} to {high}")
    return int(value)


def choice(request: Request, name: str, options: tuple[str, ...]) -> str | None:
    """One word of a closed list, or None where the parameter is absent."""
    value = single(request, name)
    if value is not None and value not in options:
        raise malformed(name, f"it is one of {', '.join(options)}")
    return value


def boolean(request: Request, name: str) -> bool | None:
    """``true``, ``1``, ``false`` or ``0``; None where the parameter is absent."""
    value = choice(request, name, tuple(_FLAGS))
    return None if value is None else _FLAGS[value]


def text(request: Request, name: str, longest: int) -> str | None:
    """Any text of 1 to ``longest`` characters, or None where the parameter is absent."""
    value = single(request, name)
    if value is not None and not 1 <= len(value) <= longest:
        raise malformed(name, f"it is a text of 1 to {longest} characters")
    return value


def process_id(request: Request, name: str) -> tuple[int, int | None] | None:
    """A process id in a query parameter, as parse_id reads it; None where it is absent."""
    value = single(request, name)
    return None if value is None else parse_id(value, name)


def parse_id(value: str, name: str = "id") -> tuple[int, int | None]:
    """``42`` is (42, None), ``42-18372`` is (42, 18372): a pid, and its start time in clock ticks."""
    if not _ID.match(value):
        raise malformed(name, "it is PID or PID-STARTTIME, such as 42 or 42-18372")
    pid, _, starttime = value.partition("-")
    return int(pid), int(starttime) if starttime else None


def preferred(request: Request, offers: tuple[str, ...]) -> str:
    """Which of ``offers`` the Accept header likes best; the first one where it likes none.

    RFC 9110 section 12.5.1: the most specific range that matches an offer gives its weight.
    Answering with the first offer rather than 406 is what the RFC allows and curl users expect.
    """
    parts = ",".join(request.headers.getlist("accept")).split(",")
    ranges = [_weighed(part) for part in parts if part.strip()]
    return max(offers, key=lambda offer: _weight(offer, ranges))


def takes_gzip(request: Request) -> bool:
    """Whether Accept-Encoding names gzip (RFC 9110, section 12.5.3), other than to rule it out."""
    codings = ",".join(request.headers.getlist("accept-encoding")).split(",")
    return dict(map(_weighed, codings)).get("gzip", 0.0) > 0


def _weighed(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [p[2:] for p in parameters if p.startswith("q=")]
    try:
        return media, min(max(float(weights[0]), 0.0), 1.0) if weights else 1.0
    except ValueError:
        return media, 0.0


def _weight(offer: str, ranges: list[tuple[str, float]]) -> float:
    for wanted in (offer, offer.partition("/")[0] + "/*", "*/*"):
        weights = [weight for media, weight in ranges if media == wanted]
        if weights:
            return max(weights)
    return 0.0
