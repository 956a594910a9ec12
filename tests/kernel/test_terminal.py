"""With a terminal on standard input main is its foreground group: keys and window changes arrive there."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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
def on_a_terminal(*main: str, pid1: bool) -> Iterator[tuple[Scene, int]]:
    """A scene with a terminal, and the end that a person types at."""
    person, terminal = os.openpty()
    try:
        with scene(*main, stdin=terminal, entry=take_terminal, http=False, pid1=pid1) as made:
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
