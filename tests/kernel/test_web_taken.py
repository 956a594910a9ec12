"""A web that somebody else steers, behind its walls: what others share with it stays whole."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.survival.test_output import TALKATIVE, saying

from .client import wait_for
from .harness import Scene, first, program, scene
from .test_web_broken import web_source

REFUSE = Path(__file__).parents[1] / "survival/programs/refuse.py"
NO_SECCOMP = (sys.executable, str(REFUSE), "seccomp", "ENOSYS", "--")
PORT = 19_357
AT_THE_DOOR = (
    "    gc.freeze()"  # the line in web/__main__.py where the walls are up, and nothing is served yet
)
TRIED = "initd web: tried "
TRY = """
def _tried(**attempts):
    said = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            said[name] = "done"
        except OSError as error:
            said[name] = errno.errorcode[error.errno]
    say("tried " + " ".join(f"{name}={outcome}" for name, outcome in said.items()))


"""
OF_THE_LOG = """
    import ctypes
    import fcntl
    import struct

    _tried(
        clear=lambda: fcntl.fcntl(2, fcntl.F_SETFL, os.O_WRONLY),
        clear_otherwise=lambda: fcntl.ioctl(2, 0x5421, struct.pack("i", 0)),
        set=lambda: fcntl.fcntl(2, fcntl.F_SETFL, os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND),
        set_otherwise=lambda: fcntl.ioctl(2, 0x5421, struct.pack("i", 1)),
        copy=lambda: fcntl.fcntl(os.dup(2), fcntl.F_SETFL, os.O_RDWR),
        copy_otherwise=lambda: fcntl.fcntl(fcntl.fcntl(2, fcntl.F_DUPFD, 20), fcntl.F_SETFL, os.O_RDWR),
        copy_onto=lambda: os.dup2(2, 30),
        pass_on=lambda: socket.send_fds(socket.socketpair()[0], [b"x"], [2]),
        shrink=lambda: fcntl.fcntl(2, 1031, 4096),
        go_back=lambda: os.lseek(2, 0, os.SEEK_SET),
        overwrite=lambda: os.pwrite(2, b"x", 0),
    )
"""
OF_THE_LISTENERS = """
    from web.syscalls import syscall

    CONNECT = 203 if os.uname().machine == "aarch64" else 42
    for each in config.listen:
        shared = socket.socket(fileno=each.fd)
        _tried(
            shut=lambda: shared.shutdown(socket.SHUT_RDWR),
            mute=lambda: shared.setsockopt(socket.IPPROTO_IP, 21, 255),  # IP_MINTTL
            defer=lambda: shared.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 9999),
            squeeze=lambda: shared.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1),
            disconnect=lambda: syscall(CONNECT, each.fd, bytes(16), 16),
            connect=lambda: shared.connect(("127.0.0.1", 1)) if each.kind == "tcp" else shared.connect(b""),
            copy=lambda: shared.dup(),
            narrow=lambda: shared.listen(0),
        )
        shared.detach()
"""


@contextmanager
def taken(tmp_path: Path, evil: str, *main: str, wrap: Sequence[str] = (), **rest: Any) -> Iterator[Scene]:
    """A scene whose web does ``evil`` once its walls are up, and then serves."""
    whole = web_source().read_text()
    assert whole.count(AT_THE_DOOR) == 1
    body = whole.replace("\nasync def _serve", TRY.strip("\n") + "\n\n\nasync def _serve")
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(body.replace(AT_THE_DOOR, evil.strip("\n") + "\n" + AT_THE_DOOR))
    before = (*first(f"mount --bind {stand_in} {web_source()}"), *wrap)
    with scene(*main, before=before, **rest) as made:
        yield made


def outcomes(said: str) -> set[str]:
    """What came of each attempt, done or an error's name, in the lines of ``_tried``."""
    return {
        word.partition("=")[2] for line in said.splitlines() if TRIED in line for word in line.split()[3:]
    }


# --- the log, which is PID 1's and main's too ------------------------------------------------------------


FILL = """
    try:
        while True:
            os.write(2, b"z" * 500)
    except BlockingIOError:
        pass
"""


@pytest.mark.parametrize("wrap", [(), NO_SECCOMP], ids=["walls", "no seccomp"])
def test_web_cannot_have_us_wait_for_a_terminal(tmp_path: Path, wrap: Sequence[str]) -> None:
    """One that is full, and read a little at a time: without O_NONBLOCK a line waits for room for all."""
    master, slave = pty.openpty()
    made_with: dict[str, Any] = {"wrap": wrap, "options": TALKATIVE, "entry": saying(slave)}
    try:
        with taken(tmp_path, FILL + OF_THE_LOG, *program("catcher.py", 15), **made_with) as made:
            made.ready()
            assert made.ask("GET", "/livez").text == "ok"  # so web has done its worst
            for _ in range(5):
                os.read(master, 4_000)
                for _ in range(60):
                    made.send(signal.SIGWINCH)
                    assert made.ask("GET", "/livez", timeout=5).text == "ok"
            assert made.stop() == 0
    finally:
        os.close(master)  # first, or closing the slave would wait for its output to be read
        os.close(slave)


def test_a_log_that_cannot_be_opened_anew_is_left_as_it_is(tmp_path: Path) -> None:
    """A socket: web writes to the very one that PID 1 and main have."""
    reader, writer = socket.socketpair()
    with reader, writer:
        before = fcntl.fcntl(writer, fcntl.F_GETFL)
        with taken(tmp_path, OF_THE_LOG, *program("catcher.py"), entry=saying(writer.fileno())) as made:
            made.ready()
            assert made.ask("GET", "/livez").text == "ok"
            assert fcntl.fcntl(writer, fcntl.F_GETFL) == before
            assert outcomes(reader.recv(65_536, socket.MSG_DONTWAIT).decode()) == {"EPERM"}


# --- the listeners, which the next web gets as they are ---------------------------------------------------


@pytest.mark.parametrize("checks", [False, True], ids=["no connections", "checks over TCP"])
def test_the_next_web_finds_its_listeners_as_they_were(tmp_path: Path, checks: bool) -> None:
    options = ["--ready-tcp", str(PORT)] if checks else []
    main = program("server.py", PORT) if checks else program("catcher.py")
    with taken(tmp_path, OF_THE_LISTENERS, *main, options=options, listen="127.0.0.1:0") as made:
        made.ready()
        said = wait_for(lambda: made.err() if made.err().count(TRIED) == 2 else "", "web to do its worst")
        assert outcomes(said) == {"EPERM", "done"}
        assert said.count("=done") == said.count("narrow=done") == 2  # which lasts until the next one listens
        port, web = made.port, made.web
        (tmp_path / "stand_in.py").write_text(web_source().read_text())
        os.kill(web, signal.SIGKILL)
        assert wait_for(lambda: made.status()["web"]["restarts"], "another web") == 1
        assert made.port == port
        assert made.tcp("GET", "/livez").status == 200
        assert made.err().count(TRIED) == 2
