"""With a terminal on standard input main is its foreground group: keys and window changes arrive there."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from . import kernel
from .client import wait_for
from .harness import PYTHON, Scene, scene

LOOK = 'import os; print(os.tcgetpgrp(0) == os.getpgrp(), flush=True); print("read", input(), flush=True)'
KEYS = """
trap 'echo got INT' INT
trap 'echo got WINCH' WINCH
trap 'echo got QUIT; exit 7' QUIT
echo ready
while :; do sleep 0.02; done
"""


def take_terminal() -> None:
    """Standard input becomes the controlling terminal of this new session, as a shell or docker does it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def on_a_terminal(
    *main: str, pid1: bool = True, leading: bool = False, options: Sequence[str] = ()
) -> Iterator[tuple[Scene, int]]:
    """A scene with a terminal, and the end that a person types at. ``leading``: as engines do with -it."""
    person, terminal = os.openpty()
    try:
        how: dict[str, Any] = {"before": ("setsid", "--ctty")} if leading else {"entry": take_terminal}
        with scene(*main, stdin=terminal, http=False, pid1=pid1, options=options, **how) as made:
            yield made, person
    finally:
        os.close(person)
        os.close(terminal)


@pytest.mark.parametrize("pid1", [True, False])
def test_main_is_the_foreground_group_and_can_read(pid1: bool) -> None:
    with on_a_terminal(*PYTHON, "-c", LOOK, pid1=pid1) as (made, person):
        made.wait_out("True\n")
        os.write(person, b"a line\n")
        assert made.wait() == 0
        assert made.out() == "True\nread a line\n"


def test_keys_and_window_changes_reach_main_once_and_not_us() -> None:
    with on_a_terminal("sh", "-c", KEYS, pid1=True) as (made, person):
        made.ready()
        os.write(person, b"\x03")
        made.wait_out("got INT")
        fcntl.ioctl(person, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
        made.wait_out("got WINCH")
        os.write(person, b"\x1c")
        assert made.wait() == 7
        assert made.out().splitlines() == ["ready", "got INT", "got WINCH", "got QUIT"]


BASH = ("bash", "--noprofile", "--norc", "--noediting", "-i")
WAYS: dict[str, dict[str, Any]] = {
    "group": {},
    "leading": {"leading": True},
    "session": {"leading": True, "options": ["--session"]},
    "not PID 1": {"pid1": False},
}


class Typist:
    """A person at an interactive bash."""

    def __init__(self, made: Scene, keyboard: int) -> None:
        self.made, self.keyboard = made, keyboard
        self.type("echo re''ady\n")  # the echo of what is typed does not look like its output
        made.wait_out("ready\n")

    def type(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    def start(self) -> int:
        """A sleep in the foreground."""
        self.type("sleep 100000\n")
        return wait_for(self.sleeping, "sleep to be in the foreground")

    def sleeping(self) -> int | None:
        group = os.tcgetpgrp(self.keyboard)
        return group if kernel.name(group) == "sleep" and kernel.state(group) == "S" else None


@pytest.fixture(params=WAYS)
def typist(request: pytest.FixtureRequest) -> Iterator[Typist]:
    with on_a_terminal(*BASH, **WAYS[request.param]) as (made, keyboard):
        yield Typist(made, keyboard)


def test_control_c_ends_the_job_and_the_shell_goes_on(typist: Typist) -> None:
    job = typist.start()
    typist.type("\x03")
    wait_for(lambda: not kernel.state(job), "the job to end")
    typist.type("echo co''de $?\n")
    typist.made.wait_out("code 130\n")


def test_control_z_stops_the_job_and_bg_and_fg_move_it(typist: Typist) -> None:
    job = typist.start()
    typist.type("\x1a")
    wait_for(lambda: kernel.state(job) == "T", "the job to stop")
    typist.type("jobs\n")
    typist.made.wait_out("Stopped")
    typist.type("bg\n")
    wait_for(lambda: kernel.state(job) == "S", "the job to go on")
    typist.type("echo fr''ee\n")  # the shell has the terminal
    typist.made.wait_out("free\n")
    typist.type("fg\n")
    assert wait_for(typist.sleeping, "the job to be in the foreground") == job
    typist.type("\x03")
    wait_for(lambda: not kernel.state(job), "the job to end")
    typist.type("exit 3\n")
    assert typist.made.wait() == 3


def test_a_new_size_is_seen_by_the_shell_and_what_it_starts(typist: Typist) -> None:
    fcntl.ioctl(typist.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 37, 141, 0, 0))
    typist.type("stty size\n")
    typist.made.wait_out("37 141\n")


def test_a_hung_up_terminal_ends_a_shell_that_leads_its_session() -> None:
    """The person goes away: bash gets its HUP, and the init ends with it."""
    with on_a_terminal(*BASH, leading=True, options=["--session"]) as (made, keyboard):
        typist = Typist(made, keyboard)
        job = typist.start()
        keyboard_gone = os.open(os.devnull, os.O_RDWR)
        os.dup2(keyboard_gone, keyboard)
        os.close(keyboard_gone)
        assert made.wait() == 129
        assert not kernel.state(job)
