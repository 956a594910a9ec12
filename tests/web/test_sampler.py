"""The sampler: fresh, shared, and honest about what it could not read."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from initd.procfs import Stat, parse_stat
from tests.web.scene import scene
from web.problem import Problem
from web.sampler import Sampler, Snapshot

LINE = b"%d (%s) S %d 7 7 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 4000 8192 25 0 0 0 0\n"


def proc(where: Path, *processes: tuple[int, bytes, int]) -> str:
    for pid, name, ppid in processes:
        (where / str(pid)).mkdir()
        (where / str(pid) / "stat").write_bytes(LINE % (pid, name, ppid))
    (where / "meminfo").write_text("")
    return str(where)


def taken(sampler: Sampler) -> Snapshot:
    sampler.start()
    try:
        return asyncio.run(sampler.snapshot())
    finally:
        sampler.stop()


def test_a_process_is_described_in_the_words_of_the_api(tmp_path: Path) -> None:
    snapshot = taken(Sampler(proc(tmp_path, (42, b"git) (x", 1))))
    row = snapshot.processes[42]
    worker = {"id": "40-1", "pid": 40, "name": "worker", "cmdline": None}
    described = snapshot.describe(row, adopted=True, former_parent=worker)
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    assert described.pop("started_at").endswith("Z")
    assert described == {
        "id": "42-4000",
        "pid": 42,
        "ppid": 1,
        "name": "git) (x",
        "state": "sleeping",
        "adopted": True,
        "former_parent": worker,
        "threads": 3,
        "cpu_seconds": 200 / ticks,
        "resident_bytes": 25 * page,
    }


def test_a_process_starts_when_the_clock_says_so() -> None:
    before = time.time()
    with scene("ready(); stay()") as child:
        snapshot = taken(Sampler())
        started = snapshot.started(snapshot.processes[child["pid"]])
    assert before - 0.05 <= started <= snapshot.taken_at + 0.05


def test_a_process_that_ends_during_the_scan_is_skipped_and_no_error(tmp_path: Path) -> None:
    where = proc(tmp_path, (42, b"a", 0))
    (tmp_path / "43").mkdir()  # listed, but its stat is gone
    snapshot = taken(Sampler(where))
    assert list(snapshot.processes) == [42]
    assert not any(snapshot.errors.values())


def test_what_cannot_be_read_is_counted_by_reason(tmp_path: Path) -> None:
    where = proc(tmp_path, (42, b"a", 0))
    (tmp_path / "43").mkdir()
    (tmp_path / "43" / "stat").write_bytes(b"rubbish")
    (tmp_path / "44" / "stat").mkdir(parents=True)
    snapshot = taken(Sampler(where))
    assert list(snapshot.processes) == [42]
    assert snapshot.errors == {"denied": 0, "malformed": 1, "descriptors": 0, "unlistable": 0, "other": 1}


def test_without_proc_the_problem_names_the_cure(tmp_path: Path) -> None:
    sampler = Sampler(str(tmp_path / "none"))
    with pytest.raises(Problem, match=r"cannot list .*/none: No such file or directory; mount it"):
        taken(sampler)
    assert sampler.errors["unlistable"] == 1


def test_a_child_whose_parent_vanished_meanwhile_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = proc(tmp_path, (1, b"init", 0), (42, b"orphan", 77))

    def then_it_is_adopted(raw: bytes) -> Stat:
        if raw.startswith(b"42 "):
            (tmp_path / "42" / "stat").write_bytes(LINE % (42, b"orphan", 1))
        return parse_stat(raw)

    monkeypatch.setattr("web.sampler.parse_stat", then_it_is_adopted)
    assert taken(Sampler(where)).processes[42].ppid == 1


def test_who_asks_while_a_scan_waits_shares_it_and_who_asks_later_gets_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = Sampler(str(tmp_path))
    scans: list[threading.Event] = []
    begun = threading.Semaphore(0)
    real = os.listdir

    def held(path: str) -> list[str]:
        if path == str(tmp_path):
            gate = threading.Event()
            scans.append(gate)
            begun.release()
            assert gate.wait(10)
        return real(path)

    monkeypatch.setattr(os, "listdir", held)

    async def scenario() -> None:
        first = asyncio.create_task(sampler.snapshot())
        await asyncio.to_thread(begun.acquire)  # the first scan runs now
        second, third = (asyncio.create_task(sampler.snapshot()) for _ in range(2))
        await asyncio.sleep(0)
        assert len(scans) == 1
        scans[0].set()
        await asyncio.to_thread(begun.acquire)
        scans[1].set()
        one, two, three = await asyncio.gather(first, second, third)
        assert one is not two, "an answer must not be older than its question"
        assert two is three
        assert len(scans) == 2

    sampler.start()
    try:
        asyncio.run(scenario())
    finally:
        sampler.stop()


def test_a_client_that_leaves_takes_no_answer_from_the_others() -> None:
    sampler = Sampler()

    async def scenario() -> None:
        gate = threading.Event()
        blocked = asyncio.create_task(sampler.run(gate.wait))
        leaving, staying = (asyncio.create_task(sampler.snapshot()) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        gate.set()
        assert os.getpid() in (await staying).processes
        await blocked

    sampler.start()
    try:
        asyncio.run(scenario())
    finally:
        sampler.stop()


def test_work_s_own_error_reaches_whoever_asked_and_the_thread_lives_on() -> None:
    sampler = Sampler()

    async def scenario() -> None:
        with pytest.raises(ZeroDivisionError):
            await sampler.run(lambda: 1 // 0)
        assert await sampler.run(threading.get_ident) != threading.get_ident()

    sampler.start()
    try:
        asyncio.run(scenario())
    finally:
        sampler.stop()


def test_no_thread_means_slower_answers_not_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert os.getpid() in taken(Sampler()).processes
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "cannot start the thread that reads /proc" in lines[0]


def test_a_leader_that_ended_before_its_threads_is_no_zombie() -> None:
    code = """
import ctypes, threading
threading.Thread(target=lambda: (ready(), stay())).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)  # exit(2): this thread alone
"""
    with scene(code) as child:
        stat = Path(f"/proc/{child['pid']}/stat")
        deadline = time.monotonic() + 10
        while b") Z " not in stat.read_bytes():
            assert time.monotonic() < deadline
        assert taken(Sampler()).processes[child["pid"]].state == "S"
