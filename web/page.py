"""The page and its files: read once at start, served from memory.

Law of this file: no data of the container goes into them, so anyone may have them; and nothing is opened at
request time, since there may be no descriptor left.
"""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import Response

from web.problem import Problem

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
INDEX = "index.html"


def _load(directory: str) -> dict[str, tuple[bytes, str]]:
    found = {}
    for name in sorted(os.listdir(directory)):
        media_type = _TYPES.get(os.path.splitext(name)[1])
        if media_type is not None:
            with open(os.path.join(directory, name), "rb") as file:
                found[name] = file.read(), media_type
    return found


FILES = _load(os.path.join(os.path.dirname(__file__), "static"))


async def index(_: Request) -> Response:
    """The page."""
    return _file(INDEX)


async def static(request: Request) -> Response:
    """One of its files."""
    return _file(request.path_params["name"])


def _file(name: str) -> Response:
    if name not in FILES:
        raise Problem("not_found", f"cannot find the file {name[:80]!r}")
    content, media_type = FILES[name]
    return Response(content, headers=HEADERS, media_type=media_type)
