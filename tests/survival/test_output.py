"""Nobody takes what is said, and no disk takes what is written."""

from __future__ import annotations

import os
import pty
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.kernel.client import DEADLINE, ask, wait_for
from tests.kernel.harness import Scene, first, program, scene
from tests.kernel.test_degraded import NO_SETUID, fill

TALKATIVE = ["-vv", "-w"]


def saying(fd: int) -> Callable[[], None]:
    """An entry with standard error there."""

    def entry() -> None:
        os.dup2(fd, 2)

    return entry


@contextmanager
def deaf_pipe() -> Iterator[int]:
    """A pipe that is full and is not read."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fill(writer)
    os.set_blocking(writer, True)  # as main and we find it
    try:
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


@contextmanager
def deaf_terminal(*, stopped: bool) -> Iterator[int]:
    """A terminal whose other end is not read, or where somebody has pressed Ctrl-S."""
    master, slave = pty.openpty()
    if stopped:
        termios.tcflow(slave, termios.TCOOFF)
    try:
        yield slave
    finally:
        os.close(master)  # first, or closing the slave would wait for its output to be read
        os.close(slave)


def goes_on(made: Scene) -> None:
    """Main, orphans, the order to end, and a web that is started beside a log that takes nothing."""
    wait_for(lambda: made.status()["reaped"]["total"] >= 400, "400 reaped")
    os.kill(made.web, signal.SIGKILL)
    assert wait_for(lambda: made.status()["web"]["restarts"], "another web") == 1
    assert made.ask("GET", "/livez").text == "ok"
    assert not made.zombies()
    assert made.stop() == 143


@pytest.mark.survives("stderr is a terminal that is stopped, or not read", "main, reaping, HTTP, the end")
@pytest.mark.parametrize("stopped", [False, True], ids=["unread", "stopped"])
def test_a_terminal_that_takes_nothing_holds_nothing_up(stopped: bool) -> None:
    """It is writable by poll(2) while there is room for one byte, and a longer write waits."""
    with (
        deaf_terminal(stopped=stopped) as terminal,
        scene(*program("storm.sh", 400), options=TALKATIVE, entry=saying(terminal)) as made,
    ):
        made.ready()
        goes_on(made)


@pytest.mark.survives("stderr is a full pipe that nobody reads", "main, reaping, HTTP, the end")
def test_a_web_with_something_to_say_is_not_held_up_by_a_full_pipe() -> None:
    with (
        deaf_pipe() as pipe,
        scene(*program("storm.sh", 400), options=TALKATIVE, entry=saying(pipe), before=NO_SETUID) as made,
    ):
        made.ready()
        goes_on(made)


FULL = "mount -t tmpfs -o size=4k,nr_inodes=2 none /run && head -c 4096 /dev/zero >/run/full"
DISKS = {
    "/run is full": FULL,
    "/run is read-only": "mount -t tmpfs -o ro none /run",
    "all is read-only": "mount -o remount,bind,ro / && mount -t tmpfs -o ro none /run",
}


@pytest.mark.survives("the disk is full, or read-only", "main, reaping, HTTP over TCP, web's restart")
@pytest.mark.parametrize("disk", DISKS)
def test_where_no_file_can_be_made_one_line_says_what_there_is_not(disk: str) -> None:
    options = ["--socket", "/run/initd.sock", "--anonymous", "control"]
    with scene(
        *program("catcher.py", 15), options=options, before=first(DISKS[disk]), listen="127.0.0.1:0"
    ) as made:
        made.ready()
        wait_for(lambda: "listening on" in made.err(), "the port")
        port = int(made.err().partition("listening on 127.0.0.1:")[2].split()[0])

        def web() -> dict[str, Any]:
            status = ask(HTTPConnection("127.0.0.1", port, DEADLINE), "GET", "/api/v1/status").json()
            return dict(status["web"])

        os.kill(made.host(web()["pid"]), signal.SIGKILL)
        assert wait_for(lambda: web()["restarts"], "another web") == 1
        (line,) = (line for line in made.err().splitlines() if "cannot" in line)
        assert line.startswith("initd: cannot make the socket /run/initd.sock: ")
        assert line.endswith("; say --socket PATH, or use initctl --url")
        assert made.stop() == 0
