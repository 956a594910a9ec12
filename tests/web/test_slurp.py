"""The kernel's small files that stay open: news all the same, and no file of who is gone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from web import slurp
from web.metrics_proc import own_fds
from web.slurp import Kept, reread


def keeping(monkeypatch: pytest.MonkeyPatch, most: int) -> Kept:
    made = Kept(most)
    monkeypatch.setattr(slurp, "_MOST", most)
    monkeypatch.setattr(slurp, "_kept", made)
    return made


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    made = keeping(monkeypatch, 32)
    yield made.files
    made.forget_all_but(())


def test_a_file_that_stays_open_tells_what_is_true_now(kept: dict[str, int]) -> None:
    comm = Path("/proc/self/comm")
    before = comm.read_text()
    assert reread(str(comm)) == before.encode()
    try:
        comm.write_text("another")
        assert reread(str(comm)) == b"another\n"
    finally:
        comm.write_text(before)
    assert kept.keys() == {str(comm)}


def test_all_stay_open_while_there_is_room(kept: dict[str, int]) -> None:
    names = ["/proc/loadavg", "/proc/uptime", "/proc/stat"]
    for name in names * 2:
        assert reread(name)
    assert list(kept) == names


def test_of_who_is_gone_there_is_nothing_to_read_and_nothing_kept(kept: dict[str, int]) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        path = f"/proc/{process.pid}/limits"
        assert b"Max open files" in reread(path)
        process.kill()
    with pytest.raises(FileNotFoundError):
        reread(path)
    assert not kept


def test_no_more_than_a_few_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made = keeping(monkeypatch, 1)
    assert [reread(f"/proc/{name}") != b"" for name in ("loadavg", "uptime", "loadavg")] == [True] * 3
    assert made.files.keys() == {"/proc/loadavg"}  # the last: we may have been moved to another control group
    made.forget_all_but(())


def test_where_descriptors_are_few_none_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keeping(monkeypatch, 0).files
    assert reread("/proc/loadavg")
    assert not kept


def test_only_what_was_asked_for_is_read() -> None:
    assert len(reread("/proc/self/limits", 10)) == 10


def test_descriptors_are_counted_without_a_listing_and_as_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = len(os.listdir("/proc/self/fd")) - 1
    assert own_fds() == listed
    stat = os.stat("/proc/self/comm")
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda _: stat)  # a kernel that does not tell, as before 6.2
        counted = own_fds()
    assert (stat.st_size, counted) == (0, listed)
