"""What initd refuses: 125, one line that begins "cannot", names the thing, and main never starts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .harness import INITD, run
from .test_exit_codes import one_cannot

# Each: the words, and what the line has to name.
WRONG = [
    (["--no-such-option"], "--no-such-option"),
    (["-Z"], "-Z"),
    (["--tls-cert", "cert.pem"], "--tls-cert"),
    (["--tls-key", "key.pem"], "--tls-key"),
    (["--tls-client-ca", "ca.pem"], "--tls-client-ca"),
    (["--restart", "sometimes"], "sometimes"),
    (["--restart", "on-failure:x"], "on-failure:x"),
    (["--restart", "on-failure:0"], "on-failure:0"),
    (["--restart", "always:3"], "always:3"),
    (["--stop-signal", "NOPE"], "NOPE"),
    (["--stop-signal", "99"], "99"),
    (["--stop-timeout", "soon"], "soon"),
    (["--stop-timeout", "-1s"], "-1s"),
    (["--sweep-timeout", "1 fortnight"], "1 fortnight"),
    (["-r", "TERM"], "TERM"),
    (["-r", "TERM:NOPE"], "TERM:NOPE"),
    (["-r", "NOPE:TERM"], "NOPE:TERM"),
    (["-e", "256"], "256"),
    (["-e", "-1"], "-1"),
    (["-e", "zero"], "zero"),
    (["-p", "NOPE"], "NOPE"),
    (["--listen", "nowhere"], "nowhere"),
    (["--listen", "127.0.0.1"], "127.0.0.1"),
    (["--listen", "127.0.0.1:99999"], "127.0.0.1:99999"),
    (["--listen", "127.0.0.1:http"], "127.0.0.1:http"),
    (["--listen", "300.1.1.1:80"], "300.1.1.1:80"),
    (["--listen", "[::1:80"], "[::1:80"),
    (["--listen", "192.0.2.1:9911"], "192.0.2.1:9911"),  # TEST-NET-1: an address that is never ours
    (["--anonymous", "root"], "root"),
    (["--log-format", "xml"], "xml"),
    (["--history", "0"], "--history"),
    (["--umask", "9"], "9"),
    (["--nice", "50"], "50"),
    (["--rlimit", "FILES=3"], "FILES=3"),
    (["--user", ""], "--user"),
    (["--user", "²"], "²"),
    (["--user", "root:²"], "root:²"),
    (["--user", "4294967295"], "4294967295"),  # no user, but "leave it as it is"
    (["--user", "root:99999999999"], "root:99999999999"),
    (["--http-user", "4294967295"], "4294967295"),
    (["--http-user", "99999999999"], "99999999999"),
    (["--restart"], "--restart"),
    (["--quiet=1"], "--quiet"),
    (["--tokens", "/nonexistent/tokens"], "/nonexistent/tokens"),
]


def refused(tmp_path: Path, options: Sequence[str], **rest: object) -> str:
    """The line of the refusal, after the checks that are the same for all of them."""
    mark = tmp_path / "main-was-here"
    code, out, error = run("sh", "-c", f"echo started; : > {mark}", options=options, http=True, **rest)
    assert (code, out, mark.exists()) == (125, "", False), error
    return one_cannot(error)


@pytest.mark.parametrize(("options", "named"), WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_a_wrong_option_is_refused_by_name(tmp_path: Path, options: list[str], named: str) -> None:
    assert named in refused(tmp_path, options, listen=None if "--listen" in options else "none")


@pytest.mark.parametrize("option", ["--allow-host=a{}." + "b" * 200, "--listen=127.0.0.1:2{:04}"])
def test_more_than_web_can_be_told_is_refused(tmp_path: Path, option: str) -> None:
    many = [option.format(number) for number in range(1_000)]
    assert "web can be told 16384" in refused(tmp_path, many, listen=None)


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("INITD_RESTART", "sometimes", "INITD_RESTART"),
        ("INITD_STOP_TIMEOUT", "soon", "INITD_STOP_TIMEOUT"),
        ("INITD_GROUP", "yes", "INITD_GROUP"),
        ("INITD_EXPECT_EXIT", "1,999", "INITD_EXPECT_EXIT"),
        ("INITD_TOKEN", "too-short", "INITD_TOKEN"),
        ("INITD_TOKENS", "/nonexistent/tokens", "/nonexistent/tokens"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path: Path, variable: str, value: str, named: str) -> None:
    assert named in refused(tmp_path, (), env={variable: value})


@pytest.mark.parametrize("end", [(), ("--",)])
def test_no_command_is_refused(end: tuple[str, ...]) -> None:
    code, _, error = run(init=(INITD, "--no-http", *end))
    assert code == 125
    assert "command" in one_cannot(error)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("control short\n", "line 1"),
        ("read aaaaaaaaaaaaaaaaaaaaaaaaaaaa\nroot aaaaaaaaaaaaaaaaaaaaaaaa\n", "line 2"),
        ("control\n", "line 1"),
        ("control aaaaaaaaaaaaaaaaaaaaaaaa and more\n", "line 1"),
        ("# a comment\n\ncontrol \u00e9\u00e9aaaaaaaaaaaaaaaaaaaaa\n", "line 3"),
    ],
)
def test_a_wrong_token_file_is_refused_by_line_without_showing_the_token(
    tmp_path: Path, lines: str, named: str
) -> None:
    file = tmp_path / "tokens"
    file.write_text(lines)
    line = refused(tmp_path, ["--tokens", str(file)])
    assert str(file) in line
    assert named in line
    assert "aaaaaaaaaaaaaaaaaaaa" not in line


def test_a_token_file_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(tmp_path, ["--tokens", str(tmp_path)])


def test_a_user_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    assert "no-such-user" in refused(tmp_path, ["--user", "no-such-user"])


def test_a_working_directory_that_does_not_exist_is_refused_by_name(tmp_path: Path) -> None:
    assert "/nonexistent/place" in refused(tmp_path, ["--workdir", "/nonexistent/place"])


def test_an_explicit_port_that_is_taken_is_refused_before_main_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        assert where in refused(tmp_path, (), listen=where)


def test_of_two_addresses_the_taken_one_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        line = refused(tmp_path, ["--listen", "127.0.0.1:0"], listen=where)
    assert where in line


def test_a_refused_initd_leaves_no_socket_behind(tmp_path: Path) -> None:
    path = tmp_path / "left.sock"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused(tmp_path, ["--socket", str(path)], listen=f"127.0.0.1:{taken.getsockname()[1]}")
    assert not os.path.lexists(path)


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_an_answer_that_cannot_be_written_is_no_traceback(word: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([INITD, word], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (125, b"")


def test_a_mistake_of_ours_before_main_is_one_line_and_125() -> None:
    broken = "from initd import boot, plans; plans.main_plan = None; boot.main(['--no-http', '--', 'true'])"
    done = subprocess.run([sys.executable, "-c", broken], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "cannot start: TypeError(" in one_cannot(done.stderr)
