"""JSON answers.

Law of this file: the one way JSON leaves web. Compact, UTF-8, never cached; what is not valid Unicode (an
argument of main may be any bytes) goes out as an escape, so that no byte of the user's makes a 500.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

NO_STORE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",  # nor guessed to be HTML
    "Cross-Origin-Resource-Policy": "same-origin",  # nor loaded into another site's page
    "Content-Security-Policy": "frame-ancestors 'none'",  # nor shown in a frame of it
}
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def encode(content: Any) -> bytes:
    """``content`` as JSON text."""
    return _encode(content).encode("utf-8", "backslashreplace")


def answer(
    content: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A response with ``content``, a value or bytes that are JSON already."""
    body = content if isinstance(content, bytes) else encode(content)
    return Response(body, status, {**NO_STORE, **(headers or {})}, media_type)
