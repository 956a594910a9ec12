"""What initctl is told: a server's bytes, an event stream, JSON of any shape; and where it is told to ask.

Law of this file: whoever answers may be anybody, and may want to steer the terminal. What comes of it is
printable lines, or one of initctl's own errors.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from tests.fuzz.target import Target, is_line
from web.ctl import leaks, show
from web.ctl.ask import parsed, problem, shaped
from web.ctl.client import Client, NotAStream
from web.ctl.errors import CtlError
from web.ctl.place import Target as Place
from web.ctl.place import url_target
from web.ctl.targets import loopback
from web.ctl.top import head, picture
from web.ctl.watch import number, stream

NOW = 1_800_000_000.0
SHOWN: tuple[Callable[[Any], object], ...] = (
    lambda one: list(show.status(one, NOW)),
    lambda one: list(show.processes(one, NOW)),
    lambda one: list(leaks.zombies(one, NOW)),
    lambda one: list(leaks.lineage(one, NOW)),
    lambda one: list(show.facts(one)),
    lambda one: [show.event(one)],
    lambda one: [show.operation(one)],
    lambda one: [show.sent(one)],
    lambda one: [leaks.nudged(one)],
    lambda one: [show.clean(text) for text, _ in (*head.main(one, NOW), *head.room(one, 1.0)) if text],
    lambda one: [row.process.name for row in picture.rows(picture.processes(one["processes"], ()))],
)


class _Connection(io.BytesIO):
    """What the other end says before it hangs up; what it is told it does not read."""

    def sendall(self, data: bytes) -> None:
        """As a socket does."""

    def settimeout(self, seconds: float) -> None:
        """It never makes anybody wait."""

    def recv(self, size: int) -> bytes:
        return self.read(size)

    def makefile(self, _mode: str) -> _Connection:
        return self


class _Canned(Client):
    """Whoever is asked says this, and hangs up."""

    def __init__(self, said: bytes) -> None:
        super().__init__(Place("/run/initd.sock"))
        self._said = said

    def _connect(self, extra_seconds: float) -> socket.socket:
        del extra_seconds
        return cast("socket.socket", _Connection(self._said))


def answer(data: bytes) -> None:
    """One answer: read to its end, or an error; and an error of the server's becomes one line."""
    with suppress(CtlError):
        said = _Canned(data).ask("GET", "/livez")
        assert said.status >= 0
        lines = show.clean_lines(said.body.decode("utf-8", "replace"))
        assert all(is_line(line) for line in lines if line)
        assert str(problem(said)).startswith("cannot ") or b"detail" in said.body


def follow(data: bytes) -> None:
    """An event stream, to its end."""
    with suppress(CtlError, NotAStream):
        for one, after in stream(_Canned(b"HTTP/1.1 200 OK\r\n\r\n" + data), 0):
            assert isinstance(after, int)
            if one is not None:
                assert is_line(shaped(lambda one=one: show.event(one)))  # type: ignore[misc]
                assert after == number(one)


def shown(data: bytes) -> None:
    """JSON, as each verb would show it."""
    begin = time.process_time()
    with suppress(CtlError):
        one = parsed(data)
        for verb in SHOWN:
            with suppress(CtlError):
                lines = shaped(lambda verb=verb: verb(one))  # type: ignore[misc]
                assert all(line.isprintable() for line in lines)
                assert sum(map(len, lines)) < 100 * (len(data) + 1_000)
    assert time.process_time() - begin < 5


def place(data: bytes) -> None:
    """Where to ask, as the words and the environment say."""
    text = data.decode("utf-8", "surrogateescape")
    for read in (url_target, loopback):
        with suppress(CtlError):
            found = read(text)
            assert 0 <= found.port < 65_536
            assert found.host


TARGETS = (
    Target("answer", answer, 300_000),
    Target("follow", follow, 100_000),
    Target("shown", shown, 200_000),
    Target("place", place, 1_000_000),
)
