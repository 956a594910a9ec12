"""Errors as RFC 9457 problem documents.

Law of this file: the one table of codes, what they mean and their HTTP status. No handler makes an error
response in any other way. Codes are stable names for programs; the detail is one line for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from web.answer import answer

MEDIA_TYPE = "application/problem+json"

CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "Malformed request"),
    "unauthorized": (401, "Authentication needed"),
    "forbidden": (403, "Role too low"),
    "not_permitted": (403, "Refused by the kernel"),
    "not_found": (404, "No such resource"),
    "no_such_process": (404, "No such process"),
    "no_such_operation": (404, "No such operation"),
    "method_not_allowed": (405, "Method not allowed"),
    "reused_pid": (409, "Another process has this pid now"),
    "wrong_state": (409, "Not possible in this state"),
    "too_large": (413, "Body too large"),
    "headers_too_large": (431, "Headers too large"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "misdirected": (421, "Not a name of this server"),
    "unknown_signal": (422, "Unknown signal"),
    "internal": (500, "Internal error"),
    "core_silent": (503, "The init does not answer"),
    "overloaded": (503, "Too many open streams"),
    "outcome_unknown": (504, "Outcome unknown yet"),
}


class Problem(Exception):
    """Raised anywhere below a handler; the client sees it as problem+json. ``extra`` are further members."""

    def __init__(
        self, code: str, detail: str, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra
        self.status, self.title = CODES[code]


def document(problem: Problem) -> dict[str, Any]:
    """The members of the problem, the standard ones first."""
    return {
        "type": f"urn:initd:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        **problem.extra,
    }


def response(problem: Problem) -> Response:
    """The problem as it goes over the wire."""
    return answer(document(problem), problem.status, problem.headers, MEDIA_TYPE)
