"""web.ctl.output: what cannot be printed is one line, and a check says its verdict all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ctl.fake_api import Canned, Serve, of
from tests.ctl.test_verbs import STATUS
from tests.house.imports import ROOT
from web.ctl.errors import FAILED, OK, PIPE_CLOSED, UNREACHABLE, USAGE

INITCTL = [sys.executable, "-c", "import sys; from web.ctl import main; sys.exit(main())"]
NOWHERE = [">&-", ">/dev/full", "1</dev/null"]
ANSWERS: dict[str, Canned | list[Canned]] = {
    "GET /api/v1/status": of(STATUS),
    "GET /api/v1/tree": Canned(body=b"initd(1)\n", kind="text/plain"),
    "GET /api/v1/events?limit=50": of({"events": [{"seq": 1, "kind": "drain", "at": None}], "next": 2}),
    "POST /api/v1/drain": of({"draining": True}),
    "GET /livez": Canned(body=b"ok", kind="text/plain"),
    "GET /readyz": Canned(503, b"[-]main failed: stopping\n", "text/plain"),
}


def redirected(to: str, words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of initctl, as a shell starts it."""
    command = ["sh", "-c", f'exec "$@" {words} {to}', "sh", *INITCTL]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=30)
    return done.returncode, done.stdout, done.stderr


def unread(words: str) -> tuple[int, str]:
    """Exit code and standard error, where nobody reads the pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*INITCTL, *words.split()]
    with open(writing, "wb") as pipe:
        done = subprocess.run(
            command, check=False, stdout=pipe, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=30
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize("to", NOWHERE)
@pytest.mark.parametrize(
    "words", ["status", "status --json", "tree", "events", "drain", "lab zombie --for 1", "--help", "ps -h"]
)
def test_an_answer_that_cannot_be_printed_is_one_line_and_exit_code_1(
    serve: Serve, words: str, to: str
) -> None:
    serve(dict(ANSWERS))
    code, _, err = redirected(to, words)
    assert (code, err.count("\n")) == (FAILED, 1), err
    assert err.startswith("initctl: cannot print to standard output: ")


@pytest.mark.parametrize("to", NOWHERE)
@pytest.mark.parametrize(("what", "verdict"), [("live", OK), ("ready", FAILED)])
def test_a_check_says_its_verdict_whether_or_not_it_can_print(
    serve: Serve, what: str, verdict: int, to: str
) -> None:
    serve(dict(ANSWERS))
    code, _, err = redirected(to, f"check {what}")
    assert (code, err.count("\n")) == (verdict, 1), err
    assert err.startswith("initctl: cannot print ")
    assert redirected(">/dev/full 2>&1", f"check {what}") == (verdict, "", "")
    assert redirected(">&- 2>&-", f"check {what}") == (verdict, "", "")
    assert unread(f"check {what}") == (verdict, "")


def test_a_pipe_that_nobody_reads_is_no_error(serve: Serve) -> None:
    serve(dict(ANSWERS))
    assert unread("status") == (PIPE_CLOSED, "")


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full"])
def test_an_error_that_cannot_be_told_is_its_exit_code_and_no_answer(tmp_path: Path, to: str) -> None:
    assert redirected(to, f"--socket {tmp_path}/none status") == (UNREACHABLE, "", "")
    assert redirected(to, "nonsense") == (USAGE, "", "")


def test_top_without_a_terminal_says_so_even_where_there_is_no_input_at_all() -> None:
    for to in ("<&-", ">&-", "<&- >&-"):
        code, _, err = redirected(to, "top")
        assert (code, err.count("\n")) == (FAILED, 1), err
        assert "this is no terminal" in err
