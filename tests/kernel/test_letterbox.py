"""letterbox.py: whoever sends descriptors along can neither hold us up nor fill us with them."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from initd import dropping, letterbox, wire
from initd.inputs import Asked
from initd.letterbox import Letterbox

LINGER = 6  # seconds that a close would wait
WORD = wire.encode({"t": "beat"})
UNKNOWN = 9_999  # an option that no kernel knows


@contextmanager
def opened() -> Iterator[tuple[Letterbox, socket.socket]]:
    """PID 1's end, and web's."""
    box = Letterbox(select.poll())
    theirs = socket.socket(fileno=box.open().detach())
    with theirs:
        yield box, theirs
    box.close()


@pytest.fixture
def old_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letterbox, "_SO_PASSRIGHTS", UNKNOWN)


@contextmanager
def lingering() -> Iterator[int]:
    """A connection whose last close waits, since its other end does not read. It is the caller's to close."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with far:
        ours.setblocking(False)
        try:
            while True:
                ours.send(bytes(65_536))
        except BlockingIOError:
            pass
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, LINGER))
        yield ours.detach()


def send_away(theirs: socket.socket, *fds: int) -> None:
    """The only copies of them are on their way then."""
    socket.send_fds(theirs, [WORD], fds)
    for fd in fds:
        os.close(fd)


@contextmanager
def at_once() -> Iterator[None]:
    """Not after the time that a descriptor lingers."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < LINGER / 2


def has_passrights() -> bool:
    with socket.socket(socket.AF_UNIX) as any_one:
        try:
            any_one.setsockopt(socket.SOL_SOCKET, 83, 0)
        except OSError:
            return False
    return True


@pytest.mark.skipif(not has_passrights(), reason="SO_PASSRIGHTS came with Linux 6.16")
def test_a_kernel_that_can_lets_no_descriptor_through() -> None:
    with opened() as (box, theirs):
        with pytest.raises(PermissionError):
            socket.send_fds(theirs, [WORD], [0])
        theirs.send(WORD)
        assert list(box.read()) == [Asked({"t": "beat"})]


@pytest.mark.usefixtures("old_kernel")
def test_a_descriptor_that_lingers_is_closed_at_once_by_an_older_one() -> None:
    with opened() as (box, theirs), lingering() as fd:
        send_away(theirs, fd)
        with at_once():
            assert list(box.read()) == [Asked({"t": "beat"})]


@pytest.mark.usefixtures("old_kernel")
def test_one_in_the_queue_of_another_is_closed_at_once_too() -> None:
    with opened() as (box, theirs), lingering() as fd:
        inner, outer = socket.socketpair()
        send_away(outer, fd)
        outer.close()
        send_away(theirs, inner.detach())
        with at_once():
            assert list(box.read()) == [Asked({"t": "beat"})]


@pytest.mark.usefixtures("old_kernel")
def test_one_that_nobody_has_read_does_not_hold_up_the_next_web() -> None:
    with opened() as (box, theirs), lingering() as fd:
        send_away(theirs, fd)
        with at_once():
            box.close()


@pytest.mark.usefixtures("old_kernel")
def test_all_that_can_be_sent_at_once_is_closed() -> None:
    with opened() as (box, theirs):
        before = len(os.listdir("/proc/self/fd"))
        many = [os.open("/", os.O_RDONLY) for _ in range(dropping.MOST - 1)]
        send_away(theirs, *many, socket.socket(socket.AF_UNIX).detach())
        assert list(box.read()) == [Asked({"t": "beat"})]
        assert len(os.listdir("/proc/self/fd")) == before
