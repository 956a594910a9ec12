"""What web reads of a request, each part on its own: parameters, bodies, names, credentials.

Law of this file: a checked value, or a Problem that is one line and says which status. What is let in is
checked by another's reading of the same rule: Python's ipaddress, and the RFC's grammar.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import Message

from tests.fuzz.target import Target, attempt, is_line
from tests.web.fake_core import hello
from web import access, body, query
from web.access import Names, Peer
from web.house import Config
from web.problem import Problem, response

T = TypeVar("T")

OFFERS = ("application/json", "text/event-stream", "text/plain")
TOKEN = "the-control-token-of-the-fuzzers"
CONFIG = Config.of(hello(tokens=[["control", TOKEN]], allow_hosts=["init.example.com"]))
NAMES = Names("pod-1", CONFIG.allow_hosts)
ALLOWED = ("localhost", "pod-1", "init.example.com")


def request(
    query_string: bytes = b"", headers: dict[bytes, bytes] | None = None, chunks: tuple[bytes, ...] = ()
) -> Request:
    """A POST as the server would hand it over."""
    parts = list(chunks)

    async def receive() -> Message:
        part = parts.pop(0) if parts else b""
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    listed = list((headers or {}).items())
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": query_string, "headers": listed}
    return Request(scope, receive)


def let_in(status: int, what: Callable[..., T], *arguments: object) -> list[T]:
    """What it gives, if it gives anything: else it is a sound Problem of this status."""
    found = attempt(Problem, what, *arguments)
    if not isinstance(found, Problem):
        return [found]
    assert found.status == status
    assert is_line(found.detail)
    json.loads(bytes(response(found).body))
    return []


def run(coroutine: Coroutine[Any, Any, object]) -> object:
    """What a coroutine returns that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def parameters(data: bytes) -> None:
    """Each way to read one, whatever the query is."""
    asked = request(data)
    for name in ("limit", "state", "root"):
        let_in(400, query.single, asked, name)
        let_in(400, query.boolean, asked, name)
        assert all(1 <= found <= 9 for found in let_in(400, query.integer, asked, name, 7, 1, 9))
        assert all(found is None or 1 <= len(found) <= 9 for found in let_in(400, query.text, asked, name, 9))
        assert all(found in (None, "a") for found in let_in(400, query.choice, asked, name, ("a",)))
        for found in filter(None, let_in(400, query.process_id, asked, name)):
            pid, started = found
            assert query.parse_id(f"{pid}" if started is None else f"{pid}-{started}") == found


def accept(data: bytes) -> None:
    """One of the offers; of two that differ in weight alone the one that weighs more."""
    assert query.preferred(request(headers={b"accept": data}), OFFERS) in OFFERS
    assert b"gzip" in data.lower() or not query.takes_gzip(request(headers={b"accept-encoding": data}))
    weight = data[:5].decode("latin-1")
    if re.fullmatch(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", weight):  # RFC 9110 section 12.4.2
        asked = request(headers={b"accept": f"{OFFERS[1]};q={weight}, {OFFERS[0]};q=0.5".encode()})
        assert query.preferred(asked, OFFERS) == OFFERS[float(weight) > 0.5]


def content(data: bytes) -> None:
    """The first line is the type and the second the length, as said; the rest comes in two pieces."""
    media, _, rest = data.partition(b"\n")
    length, _, sent = rest.partition(b"\n")
    asked = request(b"", {b"content-type": media, b"content-length": length}, (sent[:7], sent[7:]))
    found = attempt(Problem, run, body.fields(asked))
    if isinstance(found, Problem):
        assert found.status in (400, 413, 415)
        assert is_line(found.detail)
    else:
        assert isinstance(found, dict)
        assert all(isinstance(name, str) for name in found)
        assert len(sent) <= body.LIMIT


def names(data: bytes) -> None:
    """The first line is Host, the others are Origins. What is let in is named as we are, or is an address."""
    host, *origins = data.decode("latin-1").split("\n")
    if let_in(421, NAMES.check, host, ()):
        assert _plain(host) in ALLOWED or _is_address(_plain(host))
    for origin in origins:
        if let_in(421, NAMES.check, "pod-1", (origin,)):
            name = _plain(origin.partition("://")[2])
            assert name in ALLOWED or ipaddress.ip_address(name.partition("%")[0]).is_loopback


def _plain(authority: str) -> str:
    bracketed = re.match(r"\[([^\]]*)\]", authority)
    name = bracketed[1] if bracketed else authority.partition(":")[0]
    return name.strip().lower().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def credentials(data: bytes) -> None:
    """Each line is an Authorization header. Only the token itself gives its role."""
    shown, peer = data.split(b"\n"), Peer("tcp", None, "127.0.0.1")
    for caller in let_in(401, access.caller, peer, shown, CONFIG):
        assert caller.role == "control"
        assert len(shown) == 1
        assert shown[0].split()[1:] == [TOKEN.encode()]


TARGETS = (
    Target("parameters", parameters, 50_000),
    Target("accept", accept, 300_000),
    Target("content", content, 300_000),
    Target("names", names, 50_000),
    Target("credentials", credentials, 500_000),
)
