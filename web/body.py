"""The body of a request: small, JSON or a form.

Law of this file: bytes of a stranger in, a dict out, or a Problem. At most LIMIT bytes are ever kept.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from web.problem import Problem

LIMIT = 65_536
FIELDS = 100  # of a form
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


async def fields(request: Request) -> dict[str, Any]:
    """The named values in the body. An empty body has none."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:19]) > LIMIT:
        raise _too_large()
    data = await _read(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not data and not media:
        return {}
    if media == JSON:
        return _json(data)
    if media == FORM:
        return _form(data)
    raise Problem(
        "unsupported_media_type",
        f"cannot read this body: send {JSON} or {FORM}",
        {"Accept": f"{JSON}, {FORM}"},
    )


def _too_large() -> Problem:
    return Problem("too_large", f"cannot take a body of more than {LIMIT} bytes")


async def _read(request: Request) -> bytes:
    data = bytearray()
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > LIMIT:
            raise _too_large()
    return bytes(data)


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Problem(
            "malformed", 'cannot read the body as JSON: send an object such as {"signal":"TERM"}'
        ) from None
    if not isinstance(found, dict):
        raise Problem("malformed", 'cannot use this JSON: send an object such as {"signal":"TERM"}')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of what is said twice each parser takes another for the value (RFC 8259, 4)."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Problem("malformed", "cannot use this JSON: it says the same name twice; say each once")
    return found


def _form(data: bytes) -> dict[str, Any]:
    try:
        text = data.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise Problem("malformed", "cannot read the body as a form: send signal=TERM") from None
    found: dict[str, Any] = {}
    for name, value in pairs:  # what is given twice is a list, and so never taken for a value
        found[name] = [found[name], value] if name in found else value
    return found
