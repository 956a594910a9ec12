"""All targets by name."""

from __future__ import annotations

from tests.fuzz import connection, letterbox, parsers, requests, secrets, terminal

TARGETS = {
    target.name: target
    for room in (parsers, letterbox, requests, connection, secrets, terminal)
    for target in room.TARGETS
}
