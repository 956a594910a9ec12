"""Where initctl looks for initd, and what it says when nobody is there."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ctl.fake_api import Canned, Serve, of, on_loopback, on_unix
from web.ctl import client, errors, main, place, targets
from web.ctl.errors import FAILED, OK, UNREACHABLE, USAGE

ZOMBIES = {"GET /api/v1/zombies": of({"total": 0, "culprits": []})}
OK_TEXT = Canned(body=b"ok", kind="text/plain")


def test_a_socket_that_is_not_there_is_exit_code_3_with_the_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.sock"
    assert main(["--socket", str(path), "status"]) == UNREACHABLE
    why, cure = capsys.readouterr().err.split("; ", 1)
    assert why == f"initctl: cannot reach initd at {path}: no such file or directory"
    assert cure == "is it started with --socket none? say --socket PATH or --url http://127.0.0.1:9911\n"


def test_the_option_wins_over_the_environment(tmp_path: Path, serve: Serve) -> None:
    environment = serve({})
    with on_unix(tmp_path / "other.sock", dict(ZOMBIES)) as other:
        assert main(["zombies", "--socket", other.place]) == OK
    assert environment.asked == []


def test_a_url_is_asked_over_tcp_with_the_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INITD_TOKEN", "a-token-that-is-long-enough")
    with on_loopback(dict(ZOMBIES)) as api:
        assert main(["--url", api.place, "zombies"]) == OK
    assert api.asked[0].headers["Authorization"] == "Bearer a-token-that-is-long-enough"
    assert api.asked[0].headers["Host"] == api.place.removeprefix("http://")


def test_a_url_may_have_a_path_before_the_apis() -> None:
    with on_loopback({"GET /pod/7/api/v1/zombies": ZOMBIES["GET /api/v1/zombies"]}) as api:
        assert main(["--url", api.place + "/pod/7/", "zombies"]) == OK


@pytest.mark.parametrize(
    "url",
    ["x", "ftp://x", "://x", "https://", "http://", "http://:1", "http://h:0", "http://h:x", "http://[::1"],
)
def test_a_url_that_is_none_is_exit_code_2(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", url, "status"]) == USAGE
    assert capsys.readouterr().err.startswith("initctl: cannot use the URL ")


def test_socket_and_url_together_are_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "http://h", "--socket", "/s", "status"]) == USAGE
    assert capsys.readouterr().err.startswith("initctl: cannot use --socket and --url together")


def test_a_socket_of_none_in_the_environment_is_said_to_be_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INITD_SOCKET", "none")
    assert main(["status"]) == USAGE
    assert "INITD_SOCKET says there is none" in capsys.readouterr().err


@given(st.text(max_size=40))
def test_any_url_is_a_target_or_a_bad_one(url: str) -> None:
    try:
        target = place.url_target(url)
    except errors.Usage:
        return
    assert target.host
    assert 0 < target.port < 65_536


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "the connection ended before it came"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "cannot understand"),
        (b"HTTP/1.1 abc\r\n\r\n", "cannot understand"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "ended too early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunks"),
    ],
)
def test_what_is_no_http_answer_is_exit_code_3(
    serve: Serve, capsys: pytest.CaptureFixture[str], raw: bytes, why: str
) -> None:
    serve({"GET /api/v1/status": Canned(raw=raw)})
    assert main(["status"]) == UNREACHABLE
    err = capsys.readouterr().err
    assert err.startswith("initctl: cannot ")
    assert why in err


def test_a_server_that_says_nothing_is_given_up_in_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        assert main(["check", "live", "--socket", str(tmp_path / "s"), "--timeout", "0.1"]) == UNREACHABLE
    assert "no answer within 0.1 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "path"), [("live", "/livez"), ("ready", "/readyz"), ("startup", "/startupz")]
)
def test_check_asks_the_probe_of_that_name(
    serve: Serve, capsys: pytest.CaptureFixture[str], what: str, path: str
) -> None:
    failing = Canned(503, b"[-]main failed: stopping\n", "text/plain")
    serve({f"GET {path}": [OK_TEXT, failing], f"GET {path}?verbose": OK_TEXT})
    assert main(["check", what]) == OK
    assert capsys.readouterr().out == "ok\n"
    assert main(["check", what]) == FAILED
    assert capsys.readouterr().out == "[-]main failed: stopping\n"
    assert main(["check", what, "-v"]) == OK


@pytest.mark.parametrize("socket_path", ["missing", "none"])
def test_check_falls_over_to_loopback_where_there_is_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, socket_path: str
) -> None:
    monkeypatch.setenv("INITD_SOCKET", "none" if socket_path == "none" else str(tmp_path / "missing"))
    with on_loopback({"GET /livez": OK_TEXT}) as api:
        monkeypatch.setenv("INITD_LISTEN", "[::]:" + api.place.rpartition(":")[2])
        assert main(["check", "live"]) == OK
        assert main(["check", "live", "--socket", str(tmp_path / "missing")]) == UNREACHABLE


@pytest.mark.parametrize(
    ("listen", "place"),
    [
        ("", "http://127.0.0.1:9911"),
        ("none", "http://127.0.0.1:9911"),
        ("[::]:80", "http://127.0.0.1:80"),
        ("0.0.0.0:80,[::1]:81", "http://127.0.0.1:80"),
        ("[::1]:81", "http://[::1]:81"),
        ("10.0.0.7:82", "http://10.0.0.7:82"),
    ],
)
def test_the_loopback_of_a_health_check_follows_the_listen_variable(listen: str, place: str) -> None:
    assert str(targets.loopback(listen)) == place


def test_a_socket_that_is_not_ours_to_use_says_whose_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: str, timeout: float) -> socket.socket:
        raise PermissionError(errno.EACCES, f"Permission denied by {path} after {timeout}")

    monkeypatch.setattr(client, "_unix_connection", refuse)  # root, who runs the tests, is never refused
    assert main(["status", "--socket", str(tmp_path / "s")]) == UNREACHABLE
    assert "the socket is for root and the user of PID 1" in capsys.readouterr().err


def test_an_endless_answer_is_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(client, "LONGEST", 1000)
    serve({"GET /api/v1/status": Canned(body=b"x" * 2000)})
    assert main(["status"]) == UNREACHABLE
    assert "longer than 64 MiB" in capsys.readouterr().err


def test_control_c_ends_us_with_130_and_without_a_word(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        silent.settimeout(20)
        command = [sys.executable, "-c", "import sys; from web.ctl import main; sys.exit(main())", "status"]
        environ = os.environ | {"INITD_SOCKET": str(tmp_path / "s")}
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as child:
            connection, _ = silent.accept()
            with connection:
                connection.recv(10)
                child.send_signal(signal.SIGINT)
                _, err = child.communicate(timeout=20)
            assert (child.returncode, err) == (130, "")
