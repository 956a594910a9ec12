"""A house for handlers under test: the real sampler, a core that answers what it is told, no server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from initd.ledger import Ledger
from web.batch import Batch
from web.house import Highest, HttpFigures
from web.memory import Memory
from web.mirror import Mirror
from web.problem import Problem, response
from web.sampler import Sampler


def state(init: int = 1, main: int | None = None, web: int | None = None, **changes: Any) -> dict[str, Any]:
    """The core's answer to ``state``, as docs/letterbox.md has it; ``changes`` go into the counters."""
    status = {
        "init": {
            "pid": init,
            "role": "subreaper",
            "version": "1.2.3",
            "started_at": "2026-01-01T00:00:00.000Z",
        },
        "main": {
            "state": "running" if main else "stopped",
            "pid": main,
            "id": f"{main}-1" if main else None,
            "argv": ["main"],
            "started_at": "2026-01-01T00:00:01.500Z" if main else None,
            "restarts": 0,
            "last_exit": None,
        },
        "web": {"pid": web, "restarts": 0},
        "ready": main is not None,
    }
    counters = {
        **Ledger().as_dict(),
        "main_restart_delay_seconds": 0.0,
        "events": {},
        "open_fds": 9,
        "checks": [],
        **changes,
    }
    return {"t": "reply", "n": 1, "ok": True, "seq": 1, "status": status, "counters": counters}


class FakeLink:
    """Answers ``state`` with ``reply``, or is silent when that is None; ``lineage`` is another answer."""

    def __init__(self, reply: dict[str, Any] | None) -> None:
        self.reply = reply
        self.subreapers: list[dict[str, Any]] = []

    async def state(self) -> dict[str, Any]:
        if self.reply is None:
            raise Problem("core_silent", "cannot reach the init: no answer within 0.5 s")
        return self.reply

    async def shared(self, _: str) -> dict[str, Any]:
        return {"former_parents": [], "left_out": 0, "unknown": {}, "subreapers": self.subreapers}


def fake_house(reply: dict[str, Any] | None, proc: str = "/proc") -> Any:
    """A house without a letterbox."""
    return SimpleNamespace(
        config=SimpleNamespace(redact=True),
        link=FakeLink(reply),
        mirror=Mirror(100),
        memory=Memory(),
        sampler=Sampler(proc),
        http=HttpFigures(),
        scrapes=Batch(),
        cpu=Highest(),
        streams=0,
        slow_readers=0,
    )


def get(
    house: Any, handler: Callable[[Request], Awaitable[Response]], url: str, **headers: str
) -> httpx.Response:
    """One GET of ``url`` (whose last part may be an id), answered by ``handler``."""
    path = url.partition("?")[0]
    head, _, tail = path.rpartition("/")
    routes = [Route(head + "/{id}" if tail[:1].isdigit() or tail == "bad" else path, handler)]
    app = Starlette(routes=routes, exception_handlers={Problem: _problem})
    app.state.house = house

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(url, headers=headers)

    house.sampler.start()
    try:
        return asyncio.run(once())
    finally:
        house.sampler.stop()


async def _problem(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return response(problem)


def own_state(**changes: Any) -> dict[str, Any]:
    """A state in which this test is the init."""
    return state(init=os.getpid(), **changes)
