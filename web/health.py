"""The probes: /livez, /readyz, /startupz.

Law of this file: one round trip to the core and nothing else. No lock, no /proc walk, no redirect, no look at
credentials: kubelet gives a probe one second, and a probe that is refused kills the container.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from web.answer import NO_STORE
from web.house import House
from web.problem import Problem


class Check(NamedTuple):
    """One line of a verbose answer: why it fails, or what is to be said of it all the same."""

    name: str
    ok: bool
    why: str


async def _checks(house: House, purpose: str) -> list[Check]:
    """The round trip itself, then what the core says for ``purpose``."""
    try:
        reply = await house.link.shared("ping")
    except Problem as problem:
        return [Check("core", False, problem.detail)]
    errors, last = reply.get("errors"), reply.get("last_error")
    survived = f"{errors} errors survived, the last at {last}, see the log" if errors else ""
    theirs = [
        Check(str(c["name"]), c["ok"] is True, str(c.get("why") or ""))
        for c in reply["checks"]
        if purpose in c["for"]
    ]
    return [Check("core", True, survived), *theirs]


def _line(check: Check) -> str:
    if not check.ok:
        return f"[-]{check.name} failed: {check.why}"
    return f"[+]{check.name} ok" + (f": {check.why}" if check.why else "")


def render(path: str, checks: list[Check], excluded: list[str], verbose: bool) -> tuple[int, str]:
    """Status and text, in the form of Kubernetes' own components. A failure always says which and why."""
    counted = [check for check in checks if check.name not in excluded]
    ok = all(check.ok for check in counted)
    if ok and not verbose:
        return 200, "ok"
    lines = [_line(c) if c in counted else f"[+]{c.name} excluded: ok" for c in checks]
    lines.append(f"{path} check {'passed' if ok else 'failed'}")
    return (200 if ok else 503), "".join(f"{line}\n" for line in lines)


def _probe(purpose: str) -> Callable[[Request], Awaitable[Response]]:
    async def handler(request: Request) -> Response:
        query = request.query_params
        checks = await _checks(request.app.state.house, purpose)
        path = request.url.path.strip("/")
        status, text = render(path, checks, query.getlist("exclude"), "verbose" in query)
        return PlainTextResponse(text, status, NO_STORE)

    return handler


live = _probe("live")
ready = _probe("ready")
startup = _probe("startup")
