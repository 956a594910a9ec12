"""A small HTTP client and a wait: how the kernel tests ask and how they wait.

Law of this file: it knows HTTP/1.1 over unix and TCP sockets, and nothing of initd.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

DEADLINE = 20.0  # two cores, and other tests beside us: long enough never to be the reason of a failure
POLL = 0.01


def wait_for(
    condition: Callable[[], T | None], what: str | Callable[[], str], deadline: float = DEADLINE
) -> T:
    """The first true value of ``condition``. Raises AssertionError naming ``what`` when it never is."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            wanted = what if isinstance(what, str) else what()
            raise AssertionError(f"waited {deadline} s in vain for {wanted}; last seen: {value!r}")
        time.sleep(POLL)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request and its answer; a ``body`` that is not bytes is sent as JSON."""
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    with closing(connection):
        connection.request(method, path, body=body, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def accepts(path: Path) -> bool:
    """Is somebody listening on this unix socket? Between bind and listen the file is there, and nobody is."""
    with socket.socket(socket.AF_UNIX) as attempt:
        return attempt.connect_ex(str(path)) == 0


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
