"""What is let in: requests of a decent size that everybody on their way has read as we do.

Law of this file: the form of a request (RFC 9112), nothing of what it asks for. A proxy before us that read
the same bytes as another request would be a way around it, so what is ambiguous is refused, and ends the
connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from web import limits
from web.problem import Problem, response

Headers = list[tuple[bytes, bytes]]

_ABSOLUTE = re.compile(rb"https?://([^/@?#]+)(/.*)?", re.IGNORECASE | re.DOTALL)
_CLOSE = {"Connection": "close"}


class Intake:
    """ASGI around the application, which sees every target in origin form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_size(scope["headers"])
            check_framing(scope["http_version"], scope["headers"])
            seen = origin_form(scope)
        except Problem as problem:
            await response(problem)(scope, receive, send)
        else:
            await self._app(seen, receive, send)


def too_large() -> Problem:
    """The refusal of a head that is too long or has too many lines."""
    most = f"at most {limits.HEADERS}, of {limits.HEADER_BYTES} bytes in all"
    return Problem("headers_too_large", f"cannot take these headers: send {most}", _CLOSE)


def check_size(headers: Headers) -> None:
    """At most so many headers; h11 bounds their bytes."""
    if len(headers) > limits.HEADERS:
        raise too_large()


def check_framing(version: str, headers: Headers) -> None:
    """One way to find the end of the body (RFC 9112, 6.1 and 6.3), and our version (2.3)."""
    if not version.startswith("1."):
        raise Problem("malformed", f"cannot speak HTTP/{version}: this is HTTP/1.1", _CLOSE)
    names = {name for name, _ in headers}
    if b"transfer-encoding" in names and (b"content-length" in names or version == "1.0"):
        why = "it has a Transfer-Encoding, and is of HTTP/1.0 or has a Content-Length too"
        raise Problem("malformed", f"cannot tell where this body ends: {why}", _CLOSE)


def origin_form(scope: Scope) -> Scope:
    """The scope with a target that is a path: a server must accept ``http://host/path`` (RFC 9112, 3.2.2).

    Its host then counts, and not the header's.
    """
    target: bytes = scope["raw_path"]
    if target.startswith(b"/"):
        return scope
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise Problem("malformed", "cannot read this target: ask for a path, such as /livez", _CLOSE)
    host, path = found[1], found[2] or b"/"
    others = _without(scope["headers"], b"host")
    return {
        **scope,
        "raw_path": path,
        "path": unquote(path.decode("ascii")),
        "headers": [(b"host", host), *others],
    }


def _without(headers: Iterable[tuple[bytes, bytes]], unwanted: bytes) -> Headers:
    return [(name, value) for name, value in headers if name != unwanted]
