"""Where initd listens, what happens when it cannot, and what it leaves of that."""

from __future__ import annotations

import _socket
import errno
import os
import re
import socket
import stat
from pathlib import Path

import pytest

from initd import cli, sockets

from .client import UnixConnection, ask, wait_for
from .harness import INITD, PYTHON, first, program, run, scene

PRIVATE_NET = ("--net",)
READ_ONLY_RUN = first("mount -t tmpfs -o ro none /run")
LISTENING = re.compile(r"^initd: listening on (.+)$", re.MULTILINE)
LOOK = """
import http.client
for host in ("127.0.0.1", "::1"):
    connection = http.client.HTTPConnection(host, 9911, timeout=10)
    connection.request("GET", "/livez")
    print(host, connection.getresponse().read().decode(), flush=True)
"""


def test_port_0_is_told_in_status_and_in_the_log() -> None:
    with scene(*program("catcher.py"), listen="127.0.0.1:0") as made:
        made.ready()
        port = made.port
        assert port > 0
        assert made.tcp("GET", "/livez").text == "ok"
        assert f"127.0.0.1:{port}" in LISTENING.findall(made.err())


def test_several_addresses_are_all_served() -> None:
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=["--listen", "[::1]:0"]) as made:
        made.ready()
        ports = {at.rpartition(":")[0]: int(at.rpartition(":")[2]) for at in made.listens()}
        assert ports.keys() == {"127.0.0.1", "[::1]"}
        with socket.create_connection(("::1", ports["[::1]"]), timeout=10) as connection:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.makefile("rb").readline().startswith(b"HTTP/1.1 200")


def test_the_default_port_answers_on_both_families() -> None:
    inside = (*program("occupied.py"), "--")
    with scene(*PYTHON, "-c", LOOK, before=inside, unshare=PRIVATE_NET, listen=None) as made:
        assert made.wait() == 0
        assert made.out() == "127.0.0.1 ok\n::1 ok\n"


def test_the_default_port_taken_is_a_warning_and_the_init_goes_on() -> None:
    inside = program("occupied.py")
    with scene(*program("catcher.py", 15), before=inside, unshare=PRIVATE_NET, listen=None) as made:
        made.ready()
        warnings = [line for line in made.err().splitlines() if "9911" in line]
        assert len(warnings) == 1
        assert "cannot listen on [::]:9911" in warnings[0]
        assert made.ask("GET", "/livez").status == 200
        assert made.stop() == 0


def test_the_default_port_named_explicitly_and_taken_is_a_refusal() -> None:
    inside = program("occupied.py")
    code, out, error = run(
        "echo", "started", before=inside, unshare=PRIVATE_NET, http=True, listen="[::]:9911"
    )
    assert (code, out) == (125, "")
    assert error.startswith("cannot ")


@pytest.mark.parametrize(
    ("address", "bound"),
    [(":0", "0.0.0.0"), ("[::]:0", "0.0.0.0"), ("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "")],
)
def test_on_a_kernel_without_ipv6_all_addresses_are_those_of_ipv4(
    monkeypatch: pytest.MonkeyPatch, address: str, bound: str
) -> None:
    """As with ipv6.disable=1; which a test cannot boot, nor a namespace do without."""

    made = _socket.socket

    def ipv4_only(family: int, kind: int) -> _socket.socket:
        if family == _socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return made(family, kind)

    monkeypatch.setattr(_socket, "socket", ipv4_only)
    config = cli.parse(["--listen", address, "--socket", "none", "x"], {})
    if not bound:
        with pytest.raises(cli.Refusal, match=r"cannot listen on \[::1\]:0: Address family"):
            sockets.bind_all(config, [])
        return
    (listener,) = sockets.bind_all(config, [])
    try:
        assert listener.address.startswith(f"{bound}:")
    finally:
        os.close(listener.fd)


@pytest.mark.parametrize("options", [["--listen", "none"], ["--listen", "127.0.0.1:0"]])
def test_a_read_only_run_is_a_warning_and_the_init_goes_on(options: list[str]) -> None:
    code, out, error = run(
        "sh", "-c", "( : & ); echo ran; exit 6", init=default_socket(options), before=READ_ONLY_RUN
    )
    assert (code, out) == (6, "ran\n")
    warnings = [line for line in error.splitlines() if "/run/initd.sock" in line]
    assert len(warnings) == 1
    assert "cannot make the socket /run/initd.sock" in warnings[0]


def default_socket(options: list[str]) -> tuple[str, ...]:
    """initd called without --socket."""
    return (INITD, *options, "--")


def test_the_default_socket_is_in_run() -> None:
    place = first("mount -t tmpfs none /run")
    look = 'while ! [ -S /run/initd.sock ]; do sleep 0.01; done; stat -c "%a %U" /run/initd.sock'
    code, out, _ = run("sh", "-c", look, init=default_socket(["--listen", "none"]), before=place)
    assert (code, out) == (0, "600 root\n")


def test_the_socket_is_ours_alone_and_gone_when_we_are() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        mode = os.lstat(made.socket).st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        made.post("/api/v1/main/signal", {"signal": "KILL"})
        assert made.wait() == 137
        assert not os.path.lexists(made.socket)


def test_a_socket_left_by_a_killed_init_is_taken_over(tmp_path: Path) -> None:
    """docker kill and docker start: the file system stays, and the socket file with it."""
    for _ in range(2):
        with scene(*program("catcher.py"), home=tmp_path) as made:
            made.ready()
            assert made.ask("GET", "/livez").status == 200
        assert (tmp_path / "initd.sock").is_socket()


def test_a_file_that_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    code, out, error = run("echo", "ran", options=["--socket", str(path)], http=True)
    assert path.read_text() == "data"
    assert (code, out) == (0, "ran\n")
    assert f"cannot make the socket {path}" in error


def test_a_socket_that_another_init_answers_on_is_not_taken_away() -> None:
    with scene(*program("catcher.py")) as made:
        made.ready()
        run("true", options=["--socket", str(made.socket)], http=True)
        assert ask(UnixConnection(made.socket, 10), "GET", "/livez").status == 200


def test_without_any_listener_main_runs_all_the_same() -> None:
    with scene(*program("catcher.py", 15), options=["--socket", "none"]) as made:
        made.ready()
        assert made.stop() == 0
        assert not made.socket.exists()


def test_connections_made_before_web_is_up_are_answered() -> None:
    """The socket is bound before main starts, so main itself may ask in its first line."""
    main = (
        "sh",
        "-c",
        "curl -sS --max-time 10 --unix-socket initd.sock http://localhost/livez; exec sleep 100000",
    )
    with scene(*main) as made:
        made.wait_out("ok")
        assert made.err().count("curl") == 0
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "readyz")
