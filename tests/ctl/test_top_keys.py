"""The top verb: what its keys do, how it starts and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input

from tests.ctl.fake_api import Canned, Serve, of, problem
from tests.ctl.screen import Driver, answers, drive, process
from tests.kernel.client import DEADLINE, wait_for
from tests.kernel.harness import scene
from web.ctl import main
from web.ctl.client import Client
from web.ctl.errors import FAILED, UNREACHABLE
from web.ctl.place import Target
from web.ctl.top import feed
from web.ctl.top.app import Top
from web.ctl.top.dialogs import AskSignal, Confirm, Detail


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PERIOD", 0.2)


def test_a_signal_is_sent_only_after_it_was_asked_for_and_to_that_very_process(serve: Serve) -> None:
    sent = of({"process": process(7, 1, "nginx"), "signal": "HUP"})
    api = serve(answers(more={"POST /api/v1/processes/7-100/signal": sent}))

    async def act(user: Driver) -> None:
        await user.press("down", "k")
        assert isinstance(user.top.screen, AskSignal)
        await user.sees("Send which signal to nginx (7-100)?", "TERM")
        await user.press("escape")
        assert not [line for line in api.lines if line.startswith("POST")]
        await user.press("k", *"HUP", "enter")
        await user.sees("sent HUP to 7-100 nginx")
        (asked,) = (a for a in api.asked if a.line.startswith("POST"))
        assert json.loads(asked.body) == {"signal": "HUP"}

    drive(api, act)


def test_a_403_is_explained(serve: Serve) -> None:
    no = problem(403, "forbidden", "Forbidden", "cannot do this with role read: it needs control")

    async def act(user: Driver) -> None:
        await user.press("k", "enter")
        await user.sees("cannot do this with role read: it needs control")
        await user.sees("set INITD_TOKEN")

    drive(serve(answers(more={"POST /api/v1/processes/1-100/signal": no})), act)


def test_a_restart_asks_first_and_only_y_is_yes(serve: Serve) -> None:
    done = of({"id": 3, "action": "restart", "state": "running", "detail": None}, 202)
    api = serve(answers(more={"POST /api/v1/main/restart": done}))

    async def act(user: Driver) -> None:
        for key in ("n", "escape"):
            await user.press("r", "enter")
            assert isinstance(user.top.screen, Confirm)
            await user.press(key)
        assert "POST /api/v1/main/restart" not in api.lines
        await user.press("r", "y")
        await user.sees("restart running (operation 3)")

    drive(api, act)


def test_enter_shows_what_is_known_of_one_process(serve: Serve) -> None:
    fate = {"process": {"id": "1-1", "pid": 1}, "step": "init", "detail": "initd would adopt them"}
    detail = process(7, 1, "nginx", cmdline=["nginx", "-g"], unreadable=["fds"], would_adopt=fate)

    async def act(user: Driver) -> None:
        await user.press("down", "enter")
        assert isinstance(user.top.screen, Detail)
        await user.sees("nginx (7-100)", "would_adopt      initd would adopt them")
        await user.sees('unreadable       ["fds"]')
        await user.press("escape")
        assert user.top.focused is user.top.table

    drive(serve(answers(more={"GET /api/v1/processes/7-100": of(detail)})), act)


@pytest.mark.parametrize(
    ("key", "opened"), [("enter", Detail), ("r", Confirm), ("k", AskSignal), ("slash", None), ("z", None)]
)
def test_ctrl_c_quits_from_everywhere(serve: Serve, key: str, opened: type[Screen[Any]] | None) -> None:
    async def act(user: Driver) -> None:
        await user.press(key)
        assert opened is None or isinstance(user.top.screen, opened)
        await user.pilot.press("ctrl+c")
        await user.until(lambda: not user.top.is_running, "it to leave")

    drive(serve(answers()), act)


def test_q_in_a_dialog_is_a_letter_or_no_and_quits_nothing(serve: Serve) -> None:
    async def act(user: Driver) -> None:
        await user.press("k", "q")
        assert user.top.screen.query_one(Input).value == "q"
        await user.press("escape", "r", "q")
        assert user.top.return_code is None

    drive(serve(answers()), act)


def test_where_textual_is_missing_one_line_says_how_to_get_it(serve: Serve) -> None:
    api = serve(answers())
    script = "import sys; sys.modules['textual'] = None; from web.ctl import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "--socket", api.place, "top"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert done.stderr == (
        "initctl: cannot show top: textual is missing; pip install 'initd[top]', or see initctl status\n"
    )


def test_without_a_terminal_it_refuses(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    serve(answers())
    assert main(["top"]) == FAILED
    assert capsys.readouterr().err.startswith("initctl: cannot show top: this is no terminal; ")


def test_where_nobody_answers_from_the_start_it_ends_as_any_verb(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve({"GET /api/v1/status": Canned(raw=b"")})
    for stream_ in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream_, "isatty", lambda: True, raising=False)
    assert main(["top"]) == UNREACHABLE
    assert capsys.readouterr().err.startswith("initctl: cannot read the answer")


# The other screen, the mouse, the cursor: how they are when nobody has changed them.
MODES = {b"1049": b"l", b"1000": b"l", b"1003": b"l", b"25": b"h"}


class Terminal:
    """A real one, with top in it."""

    def __init__(self, *command: str) -> None:
        self.keyboard, terminal = os.openpty()
        environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True
        )
        os.close(terminal)
        os.set_blocking(self.keyboard, False)
        self.shown = b""

    def shows(self, text: str) -> bool:
        with suppress(BlockingIOError, OSError):  # an error too, when the program has ended
            while piece := os.read(self.keyboard, 1 << 16):
                self.shown += piece
        return text.encode() in self.shown

    def mode(self, number: bytes) -> bytes:
        """What the last switch of a mode said: h for on, l for off."""
        return self.shown.rpartition(b"\x1b[?" + number)[2][:1]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)


def test_on_a_real_terminal_it_shows_a_real_main_outlives_web_and_ends_with_0_at_q(tmp_path: Path) -> None:
    initctl = str(Path(sys.executable).with_name("initctl"))
    with scene("sleep", "100000", home=tmp_path) as seen:
        wait_for(seen.socket.exists, "the socket to exist")
        terminal = Terminal(initctl, "--socket", str(seen.socket), "top")
        try:
            for text in ("sleep", "main running", "main.started", "picture"):
                wait_for(lambda: terminal.shows(text), f"{text} on the terminal")  # noqa: B023
            os.kill(seen.web, signal.SIGKILL)
            wait_for(lambda: terminal.shows("web.exited"), "it to be back when web is")
            os.write(terminal.keyboard, b"q")
            wait_for(lambda: terminal.shows("") and terminal.process.poll() is not None, "it to end")
            assert terminal.process.wait(DEADLINE) == 0
            assert b"Traceback" not in terminal.shown
        finally:
            terminal.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_it_leaves_the_terminal_as_it_was(serve: Serve, number: signal.Signals) -> None:
    api = serve(answers())
    initctl = str(Path(sys.executable).with_name("initctl"))
    terminal = Terminal(initctl, "--socket", api.place, "top")
    try:
        wait_for(lambda: terminal.shows("nginx"), "the first picture")
        os.kill(terminal.process.pid, number)
        wait_for(lambda: terminal.shows("") and terminal.process.poll() is not None, "it to end")
        assert terminal.process.wait(DEADLINE) == 128 + number
        terminal.shows("")  # reads what came last
        assert {what: terminal.mode(what) for what in MODES} == MODES
        lines = termios.tcgetattr(terminal.keyboard)[3]
        assert lines & termios.ECHO
        assert lines & termios.ICANON
    finally:
        terminal.close()


STUCK = """
import pathlib, queue, sys
from web.ctl import main
from web.ctl.top import app
marker = pathlib.Path(sys.argv.pop())
def stuck(self, text):
    marker.touch()
    queue.Queue().get()
app.LAST = 1
app.Top._show_event = stuck
sys.exit(main())
"""


def test_a_signal_ends_it_even_if_the_screen_waits_for_ever(serve: Serve, tmp_path: Path) -> None:
    """As for a terminal that takes nothing more, or has gone: textual's queue to it is full."""
    marker = tmp_path / "stuck"
    terminal = Terminal(sys.executable, "-c", STUCK, "--socket", serve(answers()).place, "top", str(marker))
    try:
        wait_for(lambda: not terminal.shows("Traceback") and marker.exists(), "the screen to be stuck")
        os.kill(terminal.process.pid, signal.SIGHUP)
        assert terminal.process.wait(DEADLINE) == -signal.SIGALRM
    finally:
        terminal.close()


def test_a_signal_before_there_is_a_screen_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "alarm", lambda _seconds: 0)
    with pytest.raises(SystemExit) as caught:
        Top(Client(Target("/nowhere"))).leave_by(signal.SIGTERM, None)
    assert caught.value.code == 128 + signal.SIGTERM
