"""The two ends of the letterbox: the core against a web that somebody took over, and web against odd news.

Law of this file: the core's whole brain is behind it, in a world of processes that live and die meanwhile. An
exception is a finding, and so is a book that grows, a datagram that is too long, or JSON that is none.
"""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import cycle
from typing import Any, NoReturn

from initd import wire
from initd.inputs import Asked, Garbled
from initd.lineage import MOST_FAMILIES, MOST_PARENTS
from tests.core.driver import World, running
from tests.fuzz.target import Target
from web.mirror import OPERATIONS, Mirror

HISTORY = 50
LONGEST_EVENT = 4_000  # bytes; the longest that web can have written is one of a process with its culprit


def _never(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


def desk(data: bytes) -> None:
    """Each line is a datagram; between them the world goes on."""
    world = running("--history", str(HISTORY), "--ready-tcp", "80", "-v")
    for line, happens in zip(data.split(b"\n"), cycle((_adopt, _pass, _end, _move)), strict=False):
        try:
            message = wire.decode(line)
        except wire.Malformed as error:
            world.feed(Garbled(str(error)))
        else:
            before = len(world.sent)
            world.feed(Asked(message))
            _is_answered(world, message, before)
        happens(world)
        world.settle()
        assert world.state, "main is still known of"
    _is_bounded(world)


def _is_answered(world: World, message: dict[str, Any], before: int) -> None:
    """A question with a number gets one reply; nothing else gets any."""
    number, replies = message.get("n"), [sent for sent in world.sent[before:] if sent["t"] == "reply"]
    asked = message["t"] == "ask" and isinstance(number, int) and not isinstance(number, bool)
    assert [reply["n"] for reply in replies] == ([number] if asked else [])


def _adopt(world: World) -> None:
    if not world.exits:
        world.add_child("orphan", pid=77 if 77 not in world.children else None)


def _pass(world: World) -> None:
    world.advance(0.5)


def _end(world: World) -> None:
    orphans = [pid for pid, child in world.children.items() if not child.unit]
    if orphans and not world.exits:
        world.end(orphans[0])


def _move(world: World) -> None:
    """What the core signalled has ended; whoever is restarted starts."""
    signalled = [pid for pid, _number, _group in world.signals if pid in world.children]
    if signalled and not world.exits:
        world.end(signalled[-1])
    world.signals.clear()


def _is_bounded(world: World) -> None:
    books = world.desk.books
    kept = list(books.history.after(0))
    assert len(kept) <= HISTORY
    for event in kept:
        assert len(event) <= LONGEST_EVENT
        json.loads(event, parse_constant=_never)
    for sent in world.sent:
        json.dumps(sent, allow_nan=False)
    lineage = books.lineage.summary()
    assert len(lineage["former_parents"]) + lineage["left_out"] <= 201
    families = (books.lineage._families, books.lineage._parents)  # noqa: SLF001  what it remembers is its own
    assert len(families[0]) <= MOST_FAMILIES
    assert len(families[1]) <= MOST_PARENTS


def mirror(data: bytes) -> None:
    """web's picture of the history: an event is taken or refused by one of the errors that Link expects."""
    picture = Mirror(HISTORY)
    for line in data.split(b"\n"):
        with suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError):
            message = wire.decode(line)
            if message["t"] == "events":
                picture.take(message["events"])
            elif message["t"] == "operation":
                picture.operation(message["operation"])
            else:
                picture.fill(max(0, picture.last - 2), message["events"], int(message["last"]))
        found, after = picture.after(0, (), HISTORY)
        assert [entry.seq for entry in found] == sorted({entry.seq for entry in found})
        assert all(entry.data.decode() for entry in found)
        assert len(picture.operations) <= OPERATIONS
        assert isinstance(after, int)


TARGETS = (Target("desk", desk, 10_000), Target("mirror", mirror, 200_000))
