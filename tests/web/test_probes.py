"""web.probes: a port answers, a request is answered, and whatever else there is becomes a reason."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.web.test_link import linked
from web import probes
from web.link import Link
from web.mirror import Mirror

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def look(how: str, target: str, patience: float = 5.0) -> str | None:
    return asyncio.run(probes.look(how, target, patience))


@contextmanager
def serving(
    answer: bytes, context: ssl.SSLContext | None = None, hold: bool = False, host: str = "127.0.0.1"
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives each connection ``answer``, and its list of what was asked."""
    asked: list[bytes] = []
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        done = threading.Event()

        def serve() -> None:
            try:
                accepted, _ = listener.accept()
                sock = accepted if context is None else context.wrap_socket(accepted, server_side=True)
                with sock:
                    asked.append(sock.recv(4096))
                    sock.sendall(answer)
                    if hold:
                        done.wait(10)
            except OSError:  # the prober has gone
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], asked
        finally:
            done.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def unused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_port_that_listens_is_well_and_one_that_does_not_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert look("tcp", f"127.0.0.1:{port}") is None
        assert look("tcp", f"localhost:{port}") is None
    assert look("tcp", f"127.0.0.1:{port}") == "connection refused"


def test_localhost_is_both_families() -> None:
    with serving(OK, host="::1") as (port, _):
        assert look("tcp", f"localhost:{port}") is None
    with serving(OK, host="::1") as (port, asked):
        assert look("http", f"http://[::1]:{port}/health?x=1") is None
    assert asked[0].startswith(b"GET /health?x=1 HTTP/1.1\r\n")
    assert f"Host: [::1]:{port}\r\n".encode() in asked[0]


@pytest.mark.parametrize(
    ("status", "well"), [(200, True), (204, True), (302, True), (399, True), (400, False), (503, False)]
)
def test_a_status_of_200_to_399_is_well_and_no_redirect_is_followed(status: int, well: bool) -> None:
    answer = b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" % status
    with serving(answer) as (port, _):
        why = look("http", f"http://127.0.0.1:{port}")
        assert why == (None if well else f"status {status}")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-secret\r\n\r\n", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "the answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "the answer is not HTTP"),
    ],
)
def test_what_is_no_whole_answer_is_not_well(answer: bytes, why: str) -> None:
    with serving(answer) as (port, _):
        said = str(look("http", f"http://127.0.0.1:{port}/?key=secret"))
    assert why in said
    assert "secret" not in said, "anybody may read it in /readyz"


def test_an_interim_answer_is_passed_over_and_a_long_body_is_not_read_to_its_end() -> None:
    endless = (
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 30_000
    )
    with serving(endless, hold=True) as (port, _):
        assert look("http", f"http://127.0.0.1:{port}/") is None


def test_who_does_not_answer_is_waited_for_as_long_as_was_said() -> None:
    with serving(b"HTTP/1.1 2", hold=True) as (port, _):
        begin = time.monotonic()
        why = look("http", f"http://127.0.0.1:{port}/", 0.2)
        assert 0.2 <= time.monotonic() - begin < 5
    assert why == "no answer within 0.2 s"


def test_a_certificate_is_not_verified(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=nobody"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=30
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(OK, context) as (port, _):
        assert look("http", f"https://127.0.0.1:{port}/") is None
    with serving(OK) as (port, _):
        assert "SSL" in str(look("http", f"https://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    ("how", "target"),
    [
        ("tcp", "example.org:80"),
        ("tcp", "127.0.0.1"),
        ("tcp", "127.0.0.1:99999"),
        ("tcp", "[::1:80"),
        ("tcp", ""),
        ("http", "http://example.org/"),
        ("http", "ftp://127.0.0.1/"),
        ("http", "127.0.0.1:80"),
        ("http", "http://127.0.0.1:80/\u00e9"),
        ("http", "http://127.0.0.1:x/"),
    ],
)
def test_a_target_that_cannot_be_is_a_reason_and_no_name_is_ever_looked_up(
    monkeypatch: pytest.MonkeyPatch, how: str, target: str
) -> None:
    def never(*_: object, **__: object) -> Any:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    with socket.create_server(("127.0.0.1", 0)):
        assert look(how, target)


def test_a_port_of_our_own_making_is_not_main() -> None:
    """Connecting to a free port of the ephemeral range may meet itself."""
    port = unused()
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ours.bind(("127.0.0.1", port))
        ours.connect(("127.0.0.1", port))
        assert ours.getsockname() == ours.getpeername()

        async def run() -> str | None:
            with pytest.MonkeyPatch.context() as patch:
                real = asyncio.open_connection
                patch.setattr(asyncio, "open_connection", lambda *_, **__: real(sock=ours))
                return await probes.look("tcp", f"127.0.0.1:{port}", 5)

        assert asyncio.run(run()) == "connection refused"


def test_the_core_asks_over_the_letterbox_and_each_question_is_answered() -> None:
    async def test(core: Any, _l: Link, _m: Mirror, _e: object) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for number, target in ((7, f"127.0.0.1:{port}"), (8, "nowhere:1")):
                core.send({"t": "check", "n": number, "how": "tcp", "target": target, "timeout": 5.0})
            async with asyncio.timeout(10):
                while len(core.heard("checked")) < 2:  # noqa: ASYNC110  the core's thread fills it
                    await asyncio.sleep(0.002)
        answers = {answer["n"]: answer for answer in core.heard("checked")}
        assert answers[7] == {"t": "checked", "n": 7, "ok": True, "why": None}
        assert answers[8]["ok"] is False
        assert "names are not looked up" in answers[8]["why"]

    linked(test)


def test_a_question_that_is_none_is_counted_as_garbage() -> None:
    async def test(core: Any, link: Link, _m: Mirror, _e: object) -> None:
        for fields in ({}, {"how": "tcp", "target": "x", "timeout": "soon", "n": 1}):
            core.send({"t": "check", **fields})
        await link.ask("ping")
        assert link.garbage == 2

    linked(test)
