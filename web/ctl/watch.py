"""The events verb: what happened, and with -f what happens.

Law of this file: nothing is shown twice and nothing is left out; what the server no longer has, it says.
"""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Iterator

from web.ctl import show
from web.ctl.ask import get, parsed, problem, query, shaped, wants_json
from web.ctl.client import Client, NotAStream
from web.ctl.errors import OK, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PAGE = 500  # events in one answer
HEARTBEAT = 45.0  # seconds; the server says something every 15
PATIENCE = 10.0  # seconds: web is back within 2, so initd itself is gone after this
PAUSE = 0.5  # seconds between two tries


def events(words: Namespace, client: Client) -> int:
    """The last ones, or all after a number; then, with -f, those to come."""
    asked: dict[str, Any] = {"kind": words.kind}
    if words.after is None:
        found, after = page(client, limit=max(words.lines, 1), **asked)
        _print_events(words, found if words.lines else [])
    else:
        found, after = page(client, after=words.after, limit=PAGE, **asked)
        _print_events(words, found)
        while len(found) == PAGE:
            found, after = page(client, after=after, limit=PAGE, **asked)
            _print_events(words, found)
    return _follow(words, client, after) if words.follow else OK


def stream(client: Client, after: int, kind: str | None = None) -> Iterator[tuple[Any, int]]:
    """The events after a number as they happen, each with the number to go on after, until this stream ends.

    None in place of an event shows that it lives; the number may be another all the same, as events of other
    kinds have numbers too. Raises CtlError, NotAStream.
    """
    path = f"/api/v1/events{query(kind=kind)}"
    told = after
    for line in client.follow(path, {"Last-Event-ID": str(after)}, HEARTBEAT):
        event = None
        if line.startswith(b"data:"):
            event = parsed(line[5:])
            told = after = number(event)
        elif line.startswith(b"id:"):
            told = _id(line)
        elif not line.strip():
            after = told  # not before: the event of this id may be cut off
        yield event, after


def _id(line: bytes) -> int:
    return shaped(lambda: int(line[3:]))


def number(event: Any) -> int:
    """Where it stands in the history."""
    return shaped(lambda: int(event["seq"]))


def page(client: Client, **asked: Any) -> tuple[list[Any], int]:
    """Events, and the number after which the next ones are."""
    answer = parsed(get(client, f"/api/v1/events{query(**asked)}"))
    return shaped(lambda: list(answer["events"])), shaped(lambda: int(answer["next"]))


def _print_events(words: Namespace, found: list[Any]) -> None:
    for one in found:
        _print_event(words, one)


def _print_event(words: Namespace, one: Any) -> None:
    text = json.dumps(one, separators=(",", ":")) if wants_json(words) else shaped(lambda: show.event(one))
    print(text, flush=words.follow)


def _follow(words: Namespace, client: Client, after: int) -> int:
    """The stream, taken up again where it broke off, until initd is gone for PATIENCE or the user leaves."""
    alive = time.monotonic()
    while True:
        try:
            for one, following in stream(client, after, words.kind):
                alive = time.monotonic()
                if one is not None:
                    _print_event(words, one)
                after = following
        except NotAStream as refusal:
            if refusal.answer.status != 503:
                raise problem(refusal.answer) from None
        except Unreachable:
            if time.monotonic() - alive > PATIENCE:
                raise
        time.sleep(PAUSE)
