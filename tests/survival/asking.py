"""What is asked of an initd in trouble: everything that can be read, and a stream of events that goes on.

Law of this file: it asks and times, and asserts nothing but that there was an answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.kernel.client import DEADLINE, UnixConnection
from tests.kernel.harness import Scene
from web.app import TABLE

GETS = tuple(row.path for row in TABLE if "GET" in row.methods)


def read_everything(made: Scene, process: str) -> dict[str, float]:
    """GET every path of the table, ``process`` being the id to ask for; the seconds that each took.

    There has to be an operation 1.
    """
    took = {}
    for path in GETS:
        begun = time.monotonic()
        answer = made.ask("GET", path.format(id=process, n=1, name="page.css"))
        took[path] = time.monotonic() - begun
        assert answer.status == 200, (path, answer)
    return took


def slowest(took: dict[str, float]) -> str:
    """As a figure: ``12 ms (/api/v1/tree)``."""
    path = max(took, key=took.__getitem__)
    return f"{took[path] * 1000:.0f} ms ({path})"


class Stream:
    """An open stream of events."""

    def __init__(self, made: Scene) -> None:
        self._connection = UnixConnection(made.socket, DEADLINE)
        self._connection.request("GET", "/api/v1/events", headers={"Accept": "text/event-stream"})
        self._response = self._connection.getresponse()
        assert self._response.status == 200

    def until(self, kind: str) -> dict[str, Any]:
        """Read on to the next event of this kind."""
        for line in self._response:
            if line.startswith(b"data: ") and (event := json.loads(line[6:]))["kind"] == kind:
                return dict(event)
        raise AssertionError(f"the stream ended before there was a {kind}")

    def close(self) -> None:
        self._response.close()
        self._connection.close()


@contextmanager
def stream(made: Scene) -> Iterator[Stream]:
    """Events from now on."""
    opened = Stream(made)
    try:
        yield opened
    finally:
        opened.close()
