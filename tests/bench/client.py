"""HTTP as little as it can be: one connection, kept open, so that what is timed is the other side."""

from __future__ import annotations

import socket
import time
from http.client import HTTPConnection
from pathlib import Path

from .stage import DEADLINE


class Client(HTTPConnection):
    """To a unix socket, or to a port of localhost."""

    def __init__(self, place: Path | int) -> None:
        super().__init__("localhost", timeout=DEADLINE)
        self._place = place

    def connect(self) -> None:
        if isinstance(self._place, int):
            self.sock = socket.create_connection(("127.0.0.1", self._place), DEADLINE)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(DEADLINE)
            self.sock.connect(str(self._place))

    def get(self, path: str) -> int:
        """The status; the body is read and dropped."""
        self.request("GET", path)
        answer = self.getresponse()
        answer.read()
        return answer.status

    def timed(self, path: str) -> float:
        """Milliseconds that a GET took, which has to be answered with 200."""
        began = time.monotonic_ns()
        status = self.get(path)
        if status != 200:
            raise RuntimeError(f"GET {path} was answered with {status}")
        return (time.monotonic_ns() - began) / 1e6


def until_up(place: Path | int, path: str) -> None:
    """Ask until it is there and answers with 200."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        client = Client(place)
        try:
            if client.get(path) == 200:
                return
        except OSError:
            pass
        finally:
            client.close()
        time.sleep(0.01)
    raise TimeoutError(f"nobody answers at {place}")
