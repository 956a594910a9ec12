"""The stat files that stay open: news all the same, and nobody's but their own process'."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from web import stats
from web.sampler import Sampler
from web.stats import Stats

OURS = str(os.getpid())


@pytest.fixture
def lines() -> Iterator[Stats]:
    made = Stats("/proc")
    yield made
    made.forget_all_but(())


@pytest.fixture
def child() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def open_files() -> dict[str, int]:
    """What we have open, and its descriptor. One of those listed is the one that lists them."""
    found = {f"/proc/self/fd/{name}": int(name) for name in os.listdir("/proc/self/fd")}
    return {os.readlink(path): fd for path, fd in found.items() if os.path.lexists(path)}


def test_an_open_file_tells_what_is_true_now(lines: Stats, child: int) -> None:
    assert b" T " not in lines.read(str(child))
    os.kill(child, signal.SIGSTOP)
    os.waitid(os.P_PID, child, os.WSTOPPED)
    assert b" T " in lines.read(str(child))


def test_of_who_is_gone_there_is_no_line_and_of_who_has_its_pid_now_there_is(
    lines: Stats, child: int
) -> None:
    for pid in (str(child), OURS):
        lines.read(pid)
    found = open_files()
    os.dup2(found[f"/proc/{child}/stat"], found[f"/proc/{OURS}/stat"])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert lines.read(OURS).startswith(f"{OURS} (".encode())
    with pytest.raises(FileNotFoundError):
        lines.read(str(child))


def test_no_more_than_there_is_room_for_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = made(tmp_path, 42), made(tmp_path, 43)
    monkeypatch.setattr(stats, "KEPT", 1)
    lines = Stats(str(tmp_path))
    assert [lines.read(pid)[:2] for pid in ("42", "43", "42", "43")] == [b"42", b"43", b"42", b"43"]
    assert open_files().keys() & {first, second} == {first}
    lines.forget_all_but(["43"])
    assert not open_files().keys() & {first, second}


def test_a_look_closes_the_files_of_those_who_have_left_and_the_end_all(tmp_path: Path) -> None:
    first, second = made(tmp_path, 42), made(tmp_path, 43)
    sampler = Sampler(str(tmp_path))
    assert sampler.scan().processes.keys() == {42, 43}
    assert open_files().keys() >= {first, second}
    Path(first).parent.rename(tmp_path / "gone")
    assert sampler.scan().processes.keys() == {43}
    assert open_files().keys() & {f"{tmp_path}/gone/stat", second} == {second}
    sampler.stop()
    assert second not in open_files()


def made(proc: Path, pid: int) -> str:
    """The stat file of a process that is not there."""
    path = proc / str(pid) / "stat"
    path.parent.mkdir()
    path.write_bytes(b"%d (sleep) S" % pid + b" 0" * 49)
    return str(path)
