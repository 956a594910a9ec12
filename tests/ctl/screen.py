"""A user at top's screen, and the house that it shows.

Law of this file: it drives the real screen with textual's pilot, and waits for what is seen, not for a time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from tests.ctl.fake_api import Answers, Canned, FakeApi, of
from tests.ctl.test_verbs import STATUS
from tests.kernel.client import DEADLINE
from web.ctl.client import Client
from web.ctl.place import Target
from web.ctl.top.app import Top

Act = Callable[["Driver"], Awaitable[None]]


def process(pid: int, ppid: int, name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{pid}-100",
        "pid": pid,
        "ppid": ppid,
        "name": name,
        "state": "sleeping",
        "adopted": False,
        "started_at": "2026-11-24T05:00:00.000Z",
        "threads": 1,
        "cpu_seconds": 0.25,
        "resident_bytes": 3 << 20,
        **more,
    }


FORMER = {"id": "30-90", "pid": 30, "name": "worker", "cmdline": "worker -x"}
PROCESSES = [
    process(1, 0, "initd"),
    process(7, 1, "nginx"),
    process(40, 7, "git", state="zombie"),
    process(50, 1, "lost", adopted=True, former_parent=FORMER),
    process(60, 0, "exec-ed"),
]
WHY = {"code": "chld_blocked", "detail": "nginx(7) blocks SIGCHLD"}
CULPRIT = {"process": process(7, 1, "nginx"), "count": 1, "growth_per_minute": 2.0, "why": WHY}
ADOPTED = {"seq": 3, "at": None, "kind": "adopted", "process": process(50, 1, "lost")}


def stream(*numbers: int) -> Canned:
    frames = (f'data: {{"seq":{n},"at":null,"kind":"reaped","signal":"KILL"}}\n\n' for n in numbers)
    return Canned(body="".join(frames).encode(), kind="text/event-stream")


def answers(status: Any = STATUS, processes: Any = PROCESSES, more: Answers | None = None) -> Answers:
    """Everything that top asks for; ``more`` wins."""
    usual: Answers = {
        "GET /api/v1/status": of(status),
        "GET /api/v1/processes": of({"processes": processes}),
        "GET /api/v1/zombies": of({"total": 1, "culprits": [CULPRIT]}),
        "GET /api/v1/events?limit=50": of({"events": [ADOPTED], "next": 3}),
        "GET /api/v1/events": [stream(4), *[stream() for _ in range(1000)]],
    }
    return usual | (more or {})


class Driver:
    """A user at the screen. Waiting is for what is seen, never for a time."""

    def __init__(self, pilot: Pilot[None], top: Top, api: FakeApi) -> None:
        self.pilot, self.top, self.api = pilot, top, api

    async def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}; the screen says\n{self.screen()}"
            await self.pilot.pause(0.01)

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.screen() for text in texts), f"{texts} on the screen")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def screen(self) -> str:
        """Every line as a terminal would show it."""
        lines = self.top.screen._compositor.render_strips()  # noqa: SLF001  else there are only pictures of it
        return "\n".join(strip.text.rstrip() for strip in lines)

    def row(self, text: str) -> str:
        return next(line for line in self.screen().splitlines() if text in line)


def drive(api: FakeApi, act: Act, size: tuple[int, int] = (110, 40), first: str = "nginx") -> None:
    """Run the screen with ``act`` at its keyboard, once ``first`` is on it."""

    async def session() -> None:
        top = Top(Client(Target(api.place)))
        async with top.run_test(size=size, notifications=True) as pilot:
            driver = Driver(pilot, top, api)
            await driver.sees(first)
            await act(driver)

    asyncio.run(session())
