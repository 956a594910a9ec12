"""GET /api/v1/events: the history as JSON, by long poll, or as a stream of server-sent events."""

from __future__ import annotations

import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from initd.model import EVENT_KINDS
from web import query
from web.answer import answer
from web.house import House
from web.mirror import Entry
from web.problem import Problem
from web.stream import EventStream, ensure_place, place, until

LARGEST_SEQ = 2**53 - 1  # what JavaScript can count
USUAL, MOST = 1_000, 10_000
LONGEST_WAIT = 60
STREAM = "text/event-stream"
LAST_ID_PATTERN = r"^[0-9]{1,16}$"
_LAST_ID = re.compile(LAST_ID_PATTERN.replace("$", r"\Z"))


async def show(request: Request) -> Response:
    """Which of the three it is, Accept and ``wait`` say."""
    after = query.integer(request, "after", None, 0, LARGEST_SEQ)
    limit = query.integer(request, "limit", USUAL, 1, MOST)
    seconds = query.integer(request, "wait", 0, 0, LONGEST_WAIT)
    kinds = _kinds(request)
    last = _last_id(request)
    house: House = request.app.state.house
    await house.link.whole()
    if query.preferred(request, ("application/json", STREAM)) == STREAM:
        return _stream(request, house, after if last is None else last, kinds)
    if seconds:
        request.state.group = "stream"
        with place(house):
            return _page(await _wait(request, house, after, kinds, limit, seconds))
    return _page(_look(house, after, kinds, limit))


def _kinds(request: Request) -> frozenset[str]:
    named = [word for value in request.query_params.getlist("kind") for word in value.split(",")]
    for word in named:
        if word not in EVENT_KINDS:
            raise query.malformed("kind", f"each is one of {', '.join(EVENT_KINDS)}")
    return frozenset(named)


def _last_id(request: Request) -> int | None:
    """It wins over ``after``: a browser comes back with the address that it first had."""
    last = request.headers.get("last-event-id")
    if last is not None and not _LAST_ID.match(last):
        raise Problem("malformed", "cannot read Last-Event-ID: it is the number of an event")
    return None if last is None else int(last)


def _look(house: House, after: int | None, kinds: frozenset[str], limit: int) -> tuple[list[Entry], int]:
    if after is None:
        return house.mirror.latest(kinds, limit)
    return house.mirror.after(after, kinds, limit)


async def _wait(
    request: Request, house: House, after: int | None, kinds: frozenset[str], limit: int, seconds: int
) -> tuple[list[Entry], int]:
    """Answers at once where there is something to say, or where ``after`` is not of this init's life.

    Who ends his side is answered too: over TCP nobody can tell whether he has left or listens on (``nc -N``),
    and for one who has left no place is kept.
    """

    def ready() -> tuple[list[Entry], int] | None:
        found = _look(house, after, kinds, limit)
        foreign = after is not None and after > house.mirror.newest
        return found if found[0] or foreign else None

    try:
        found = await until(house, request.receive, seconds, ready)
    except ClientDisconnect:
        found = None
    return found if found is not None else _look(house, after, kinds, limit)


def _page(found: tuple[list[Entry], int]) -> Response:
    entries, following = found
    return answer(b'{"events":[%s],"next":%d}' % (b",".join(entry.data for entry in entries), following))


def _stream(request: Request, house: House, after: int | None, kinds: frozenset[str]) -> Response:
    request.state.group = "stream"
    ensure_place(house)
    return EventStream(house, house.mirror.newest if after is None else after, kinds)
