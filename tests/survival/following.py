"""Those who watch an initd through a storm: one reads its history, one probes it as kubelet does.

Law of this file: what they saw is kept as numbers; whether that is well enough, tests say.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from typing import Any

from tests.kernel.harness import Scene
from tests.kernel.test_web_dies import missing

PATIENCE = 30.0  # seconds that kubelet bears: three probes that fail, ten apart
_IN_TIME = 1.0  # for the answer to a probe


class Reader:
    """Follows the history: every number is an event, or one that the reader is told is ``missed``.

    ``get`` asks for a path, and gives the JSON of the answer.
    """

    def __init__(self, get: Callable[[str], Any]) -> None:
        self._get, self._next = get, 0
        self.missed = 0

    def read(self) -> list[dict[str, Any]]:
        """What is new."""
        page = self._get(f"/api/v1/events?after={self._next}&limit=10000")
        fresh: list[dict[str, Any]] = page["events"]
        self.missed += missing(fresh, self._next + 1, page["next"])
        self._next = page["next"]
        return fresh


class Kubelet:
    """Probes /livez, over and over; ``darkest`` are the most seconds in which no probe went well."""

    def __init__(self, made: Scene) -> None:
        self._made, self._well = made, time.monotonic()
        self.asked = self.failed = 0
        self.darkest = self.slowest = 0.0

    def probe(self) -> None:
        begun = time.monotonic()
        try:
            well = self._made.ask("GET", "/livez", timeout=PATIENCE).status == 200
        except (OSError, http.client.HTTPException):
            well = False
        now = time.monotonic()
        self.slowest = max(self.slowest, now - begun)
        self.darkest = max(self.darkest, now - self._well)
        self.asked += 1
        if well and now - begun < _IN_TIME:
            self._well = now
        else:
            self.failed += 1

    @property
    def figures(self) -> dict[str, object]:
        return {
            "probes": f"{self.asked:,}",
            "failed": self.failed,
            "slowest probe": f"{self.slowest * 1000:.0f} ms",
        }
