"""web.exits: the end of a watched process is told at once, and descriptors are given back."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.web.inside import eventually
from web import limits
from web.exits import Exits


@contextmanager
def sleepers(number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that live until we let them go."""
    processes = [subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _ in range(number)]
    try:
        yield processes
    finally:
        for process in processes:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(10)


def key(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    return process.pid, 1


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def watching(test: Callable[[Exits, list[int]], Awaitable[None]]) -> None:
    """Run ``test`` with a list that grows by one at every end."""

    async def run() -> None:
        ends: list[int] = []
        exits = Exits(lambda: ends.append(1))
        try:
            await test(exits, ends)
        finally:
            exits.close()

    before = descriptors()
    asyncio.run(run())
    assert descriptors() == before, "descriptors were kept"


def test_every_end_is_told_once() -> None:
    async def test(exits: Exits, ends: list[int]) -> None:
        with sleepers(2) as (one, two):
            exits.watch([key(one), key(two)])
            end(one)
            await eventually(lambda: len(ends) == 1)
            exits.watch([key(two)])
            end(two)
            await eventually(lambda: len(ends) == 2)

    watching(test)


def test_who_is_watched_no_more_ends_in_silence() -> None:
    async def test(exits: Exits, ends: list[int]) -> None:
        with sleepers(2) as (one, two):
            exits.watch([key(one), key(two)])
            exits.watch([key(two)])
            end(one)
            end(two)
            await eventually(lambda: ends)
            assert len(ends) == 1

    watching(test)


def test_one_that_ended_before_it_could_be_watched_is_told_too() -> None:
    async def test(exits: Exits, ends: list[int]) -> None:
        with sleepers(1) as (one,):
            end(one)
            exits.watch([key(one)])
        assert ends == [1]

    watching(test)


def test_no_more_are_watched_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WATCHED", 2)

    async def test(exits: Exits, ends: list[int]) -> None:
        before = descriptors()
        with sleepers(3) as processes:
            exits.watch(map(key, processes))
            taken = descriptors() - before - 3  # and the pipes to the three
            assert taken == 2
            end(processes[2])
            end(processes[0])
            await eventually(lambda: ends)
            assert len(ends) == 1

    watching(test)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM])
def test_where_the_kernel_cannot_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], number: int
) -> None:
    def refuse(_: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pidfd_open", refuse)

    async def test(exits: Exits, ends: list[int]) -> None:
        for _ in range(3):
            exits.watch([(os.getpid(), 1), (os.getppid(), 1)])
        assert ends == []

    watching(test)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "cannot watch processes by pidfd" in lines[0]


def test_without_descriptors_those_that_are_watched_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    async def test(exits: Exits, ends: list[int]) -> None:
        with sleepers(2) as (one, two):
            exits.watch([key(one)])
            monkeypatch.setattr(os, "pidfd_open", refuse)
            exits.watch([key(one), key(two)])
            end(one)
            await eventually(lambda: ends)

    watching(test)
