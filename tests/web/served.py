"""The real web process around a fake core, on real sockets."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from tests.web.fake_core import FakeCore, fake_core

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 10.0  # for anything that should be at once


class Answer(NamedTuple):
    """What came back, with the body as text."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Web(NamedTuple):
    """A running web process, its core, and the way to ask it."""

    core: FakeCore
    process: subprocess.Popen[bytes]
    port: int
    path: str

    def ask(self, target: str, method: str = "GET", **what: Any) -> Answer:
        """One request over TCP; ``what`` is as for ``exchange``."""
        return exchange(http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE), target, method, **what)

    def ask_tls(self, target: str, tls: ssl.SSLContext, method: str = "GET", **what: Any) -> Answer:
        """One request over TLS."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=tls)
        return exchange(connection, target, method, **what)

    def ask_unix(self, target: str, method: str = "GET", **what: Any) -> Answer:
        """One request over the unix socket."""
        connection = http.client.HTTPConnection("initd", timeout=PATIENCE)
        connection.sock = self.connect_unix()
        return exchange(connection, target, method, **what)

    def connect(self) -> socket.socket:
        """A bare TCP connection."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def connect_unix(self) -> socket.socket:
        """A bare connection to the unix socket."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(self.path)
        return sock


def exchange(
    connection: http.client.HTTPConnection,
    target: str,
    method: str,
    *,
    token: str | None = None,
    body: bytes | None = None,
    **headers: str,
) -> Answer:
    """One request and its answer; underscores in header names are dashes. The connection is closed."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, target, body, sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Poll until ``condition`` is true and return what it gave; fail with ``what`` otherwise."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:g} s"
        time.sleep(0.005)
    return found


def _listen(directory: str) -> tuple[socket.socket, socket.socket]:
    tcp = socket.create_server(("127.0.0.1", 0))
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(f"{directory}/initd.sock")
    os.chmod(f"{directory}/initd.sock", 0o666)  # noqa: S103  web asks who connects
    unix.listen()
    return _high(tcp), _high(unix)


def _high(sock: socket.socket) -> socket.socket:
    """The same socket with a number that is not in the way of the letterbox's."""
    with sock:
        return socket.socket(fileno=fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 10))


def launch(
    core: FakeCore,
    listeners: tuple[socket.socket, ...],
    errors: IO[bytes],
    options: Sequence[str] = (),
    prepare: Callable[[], object] = int,
) -> subprocess.Popen[bytes]:
    """``python -P -m web`` with the letterbox as descriptor 3 and the listeners as they are."""
    numbers = [listener.fileno() for listener in listeners]
    letterbox = core.web_side.fileno()

    def between_fork_and_exec() -> None:
        prepare()
        os.dup2(letterbox, 3)

    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    process = subprocess.Popen(
        [sys.executable, "-P", *options, "-m", "web"],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **measured},
        pass_fds=[*numbers, 3],
        preexec_fn=between_fork_and_exec,  # noqa: PLW1509  as the core does it
    )
    core.web_side.close()
    return process


@contextmanager
def served(
    *options: str, prepare: Callable[[], object] = int, log: list[str] | None = None, **changes: Any
) -> Iterator[Web]:
    """A web process that answers. At the end it is killed, and its log shown and put into ``log``."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)  # noqa: S103  web may run as another user
        tcp, unix = _listen(directory)
        port, path = tcp.getsockname()[1], f"{directory}/initd.sock"
        listen = [
            {"fd": tcp.fileno(), "kind": "tcp", "address": f"127.0.0.1:{port}"},
            {"fd": unix.fileno(), "kind": "unix", "address": path},
        ]
        errors = open(f"{directory}/log", "w+b")  # noqa: SIM115  closed with the others below
        with errors, fake_core(listen=listen, **changes) as core, tcp, unix:
            process = launch(core, (tcp, unix), errors, options, prepare)
            try:
                wait_for(lambda: core.attached.is_set() or process.poll() is not None, "attach")
                yield Web(core, process, port, path)
            finally:
                process.kill()
                process.wait(PATIENCE)
                errors.seek(0)
                said = errors.read().decode(errors="replace")
                sys.stderr.write(said)
                if log is not None:
                    log += said.splitlines()
