"""An initd that gives canned answers, on a unix socket or on loopback, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any, NamedTuple, cast


class Asked(NamedTuple):
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


class Canned(NamedTuple):
    """One answer. ``raw`` is sent as it is, in place of everything else."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    raw: bytes | None = None


def of(value: object, status: int = 200) -> Canned:
    """A JSON answer."""
    return Canned(status, json.dumps(value).encode())


def problem(status: int, code: str, title: str, detail: str) -> Canned:
    """A problem document."""
    document = {
        "type": f"urn:initd:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return Canned(status, json.dumps(document).encode(), "application/problem+json")


class FakeApi:
    """``answers`` maps "GET /path?query" to a canned answer, or to a list of which each is given once."""

    def __init__(self, answers: dict[str, Canned | list[Canned]]) -> None:
        self.answers = answers
        self.asked: list[Asked] = []
        self.place = ""

    @property
    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    def answer(self, asked: Asked) -> Canned:
        self.asked.append(asked)
        found = self.answers.get(
            asked.line, problem(404, "not_found", "No such resource", f"cannot find {asked.line}")
        )
        return found.pop(0) if isinstance(found, list) else found


class _Handler(BaseHTTPRequestHandler):
    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        api: FakeApi = cast("Any", self.server).api
        canned = api.answer(Asked(f"{self.command} {self.path}", dict(self.headers), body))
        if canned.raw is not None:
            self.wfile.write(canned.raw)
            return
        self.send_response(canned.status)
        self.send_header("Content-Type", canned.kind)
        if canned.kind != "text/event-stream":
            self.send_header("Content-Length", str(len(canned.body)))
        self.end_headers()
        self.wfile.write(canned.body)

    do_GET = do_POST = _handle  # noqa: N815  http.server's names

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size  # requests are remembered instead


class _UnixServer(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[Any, Any]:
        connection, _ = super().get_request()
        return connection, ("unix", 0)  # the handler wants a pair


class _TcpServer(ThreadingMixIn, HTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET


@contextmanager
def _serving(server: Any, api: FakeApi, place: str) -> Iterator[FakeApi]:
    server.api, api.place = api, place
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


Answers = dict[str, Canned | list[Canned]]
Serve = Callable[[Answers], FakeApi]


@contextmanager
def on_unix(path: Path, answers: Answers) -> Iterator[FakeApi]:
    """Served on a unix socket at ``path``."""
    with _serving(_UnixServer(str(path), _Handler), FakeApi(answers), str(path)) as api:
        yield api


@contextmanager
def on_loopback(answers: Answers, tls: ssl.SSLContext | None = None) -> Iterator[FakeApi]:
    """Served on a free port; ``place`` is its URL."""
    server = _TcpServer(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "http" if tls is None else "https"
    with _serving(server, FakeApi(answers), f"{scheme}://127.0.0.1:{server.server_port}") as api:
        yield api
