"""web.observer: real processes are seen, and told to the core in the words of docs/letterbox.md."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from initd.procfs import Stat, parse_stat
from tests.web.fake_core import FakeCore
from tests.web.inside import Inside, eventually, inside
from tests.web.scene import scene
from web import cgroup, observer, tree
from web.observer import observe, read_cmdline
from web.problem import Problem
from web.sampler import Sampler

FAMILY = """
r, w = os.pipe()
pid = os.fork()
if not pid:
    name(b"worker")
    if not os.fork():
        name(b"job")
        os.write(w, b".")
    stay()
os.read(r, 1)
ready(worker=pid)
stay()
"""
# An orphan that its grandparent adopts: the worker ends when it is told to by CONT.
SUBREAPER = """
import ctypes, signal
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
name(b"tini")
r, w = os.pipe()
pid = os.fork()
if not pid:
    name(b"worker")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    child = os.fork()
    if not child:
        name(b"job")
        os.write(w, b".")
        stay()
    os.write(w, b".")
    signal.sigwait([signal.SIGUSR1])
    os._exit(0)
os.read(r, 1); os.read(r, 1)
ready(worker=pid)
os.waitpid(pid, 0)
stay()
"""


def observed(test: Callable[[Inside], Awaitable[None]], role: str = "subreaper") -> None:
    """Run ``test`` beside an observer whose init is this test."""

    async def beside(running: Inside) -> None:
        task = asyncio.create_task(observe(running.house))
        try:
            await test(running)
        finally:
            task.cancel()
            await asyncio.wait([task])

    inside(beside, init={"pid": os.getpid(), "uid": os.getuid(), "role": role})


def families(core: FakeCore) -> list[dict[str, Any]]:
    return [family for message in core.heard("seen") for family in message["families"]]


def parent_of(core: FakeCore, pid: int) -> dict[str, Any] | None:
    """What the core was last told to be the parent of ``pid``."""
    found = [f["parent"] for f in families(core) for child, _ in f["children"] if child == pid]
    return found[-1] if found else None


def events(core: FakeCore, kind: str) -> list[dict[str, Any]]:
    return [message for message in core.heard("observed") if message["kind"] == kind]


def test_the_first_look_is_fresh_and_tells_who_is_whose_child() -> None:
    async def test(running: Inside) -> None:
        with scene(FAMILY) as child:
            await eventually(lambda: parent_of(running.core, child["worker"]))
            parent = parent_of(running.core, child["worker"])
            assert parent is not None
            assert parent["id"].startswith(f"{child['pid']}-")
            assert "-I -S -c" in parent["cmdline"]
            assert len(parent["cmdline"]) <= 200
        await eventually(lambda: any(child["worker"] in m["gone"] for m in running.core.heard("seen")))
        assert [message["fresh"] for message in running.core.heard("seen")].index(True) == 0
        assert sum(message["fresh"] for message in running.core.heard("seen")) == 1
        assert all(f["parent"]["pid"] != os.getpid() for f in families(running.core)), "we are the init"

    observed(test)


def test_a_watched_parent_s_end_is_told_at_once_and_the_next_look_comes_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observer, "TICK", 600.0)  # without an end there would be no second look in this test
    monkeypatch.setattr(observer, "SHARE", 1)

    async def test(running: Inside) -> None:
        core = running.core
        await eventually(lambda: parent_of(core, child["worker"]))
        assert core.heard("look") == []
        os.kill(child["worker"], 9)
        await eventually(lambda: core.heard("look"))
        await eventually(lambda: len(looks) == 2)
        await asyncio.sleep(0.5)  # what is measured is that after this look the rest is a whole one again
        assert len(looks) == 2

    looks = counted(monkeypatch)
    with scene(FAMILY) as child:
        observed(test)


def test_the_core_shall_look_when_it_has_a_child_that_it_had_not_and_not_when_one_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observer, "TICK", 0.05)

    async def test(running: Inside) -> None:
        core = running.core
        await eventually(lambda: len(looks) > 2)
        assert core.heard("look") == []
        with scene("ready()\nstay()"):
            await eventually(lambda: core.heard("look"))
            seen = len(looks)
            await eventually(lambda: len(looks) > seen + 2)
        seen = len(looks)
        await eventually(lambda: len(looks) > seen + 2)
        assert len(core.heard("look")) == 1

    looks = counted(monkeypatch)
    observed(test)


def test_a_child_that_has_the_pid_of_the_one_before_is_another_one() -> None:
    seen = observer.Observer(cast("Any", None))

    def row(pid: int, ppid: int, starttime: int) -> Stat:
        zeros = b" 0" * 12
        return parse_stat(b"%d (x) S %d 7 7 0 -1%b 1 0 %d 0 0" % (pid, ppid, zeros[:-2], starttime))

    def looked(starttime: int) -> list[dict[str, Any]]:
        rows = {1: row(1, 0, 1), 7: row(7, 1, starttime)}
        assert rows[7].starttime == starttime
        return seen._newcomers(tree.build(rows, 1))  # noqa: SLF001  one of its questions

    assert [looked(100), looked(100), looked(200)] == [[], [], [{"t": "look"}]]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one with every look."""
    looks: list[int] = []
    real = observer.Observer._look  # noqa: SLF001  the look itself

    def look(self: observer.Observer) -> observer.Sight:
        looks.append(1)
        return real(self)

    monkeypatch.setattr(observer.Observer, "_look", look)
    return looks


def test_an_orphan_that_a_nearer_subreaper_takes_is_told_as_reparented() -> None:
    async def test(running: Inside) -> None:
        with scene(SUBREAPER) as child:
            core = running.core
            await eventually(lambda: any(f["parent"]["pid"] == child["worker"] for f in families(core)))
            os.kill(child["worker"], 10)
            await eventually(lambda: events(core, "reparented"))
            (event,) = events(core, "reparented")
        assert event["process"]["name"] == "job"
        assert (event["former_parent"]["pid"], event["former_parent"]["name"]) == (child["worker"], "worker")
        assert (event["new_parent"]["pid"], event["new_parent"]["name"]) == (child["pid"], "tini")
        assert set(event) == {"t", "kind", "process", "former_parent", "new_parent"}

    observed(test)


def test_zombies_are_found_and_gone_with_one_event_for_all_of_a_culprit() -> None:
    async def test(running: Inside) -> None:
        with scene("dead = [zombie(b'git') for _ in range(5)]; ready(dead=dead); stay()") as child:
            await eventually(lambda: events(running.core, "zombie.found"))
            (found,) = events(running.core, "zombie.found")
            assert (found["count"], found["total"]) == (5, 5)
            assert found["culprit"]["pid"] == child["pid"]
            assert found["process"]["pid"] in child["dead"]
        await eventually(lambda: events(running.core, "zombie.gone"))
        (gone,) = events(running.core, "zombie.gone")
        assert (gone["count"], gone["total"], gone["culprit"]) == (5, 0, found["culprit"])

    observed(test)


def test_a_census_is_told_when_it_changed_and_a_level_that_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "pids", lambda _=None: (90, 100))

    async def test(running: Inside) -> None:
        await eventually(lambda: running.core.heard("census"))
        (first,) = running.core.heard("census")
        assert first["processes"] > 1
        assert first["pids"] == {"current": 90, "max": 100}
        (high,) = events(running.core, "pids.high")
        assert (high["current"], high["max"]) == (90, 100)
        monkeypatch.setattr(cgroup, "pids", lambda _=None: (50, 100))
        await eventually(lambda: events(running.core, "pids.normal"))

    observed(test)


def test_a_census_that_is_the_same_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "TICK", 0.001)
    monkeypatch.setattr(observer, "SHARE", 1)
    same = Sampler().scan()
    monkeypatch.setattr(Sampler, "scan", lambda _: same)
    monkeypatch.setattr(cgroup, "pids", lambda _=None: (90, None))
    looks = counted(monkeypatch)

    async def test(running: Inside) -> None:
        await eventually(lambda: len(looks) > 10)
        assert len(running.core.heard("census")) == 1

    observed(test)


def test_what_others_do_on_a_machine_that_a_subreaper_shares_is_no_concern_of_its_own() -> None:
    """The test's own child stands for the init: beside it lives a family that is not below it."""

    async def run(core_pid: int, child: dict[str, Any], role: str) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []

        async def beside(running: Inside) -> None:
            task = asyncio.create_task(observe(running.house))
            await eventually(lambda: running.core.heard("seen"))
            told.extend(families(running.core))
            task.cancel()
            await asyncio.wait([task])

        await asyncio.to_thread(inside, beside, init={"pid": core_pid, "uid": os.getuid(), "role": role})
        return [family for family in told if family["parent"]["pid"] == child["pid"]]

    with scene(FAMILY) as child, scene("ready(); stay()") as init:
        assert asyncio.run(run(init["pid"], child, "subreaper")) == []
        assert len(asyncio.run(run(init["pid"], child, "pid1"))) == 1


def test_the_house_knows_how_old_the_picture_is_and_when_the_next_is_due() -> None:
    async def test(running: Inside) -> None:
        memory = running.house.memory
        assert (memory.taken_at, memory.interval) == (None, None)
        await eventually(lambda: memory.taken_at)
        assert memory.interval is not None
        assert memory.interval >= observer.TICK

    observed(test)


def test_a_dear_look_is_followed_by_a_rest_of_a_hundred_times_its_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(observer, "TICK", 0.001)
    looks: list[float] = []
    loops: list[asyncio.AbstractEventLoop] = []
    real = observer.Observer._timed  # noqa: SLF001  the one place where a look's cost is measured

    def dear(self: observer.Observer) -> tuple[observer.Sight, float]:
        looks.append(time.monotonic())
        sight, _ = real(self)
        # Not even an end brings the next look forward beyond the budget.
        loops[0].call_soon_threadsafe(self._ended)
        return sight, 0.003

    monkeypatch.setattr(observer.Observer, "_timed", dear)

    async def test(_: Inside) -> None:
        loops.append(asyncio.get_running_loop())
        await eventually(lambda: len(looks) >= 4)

    observed(test)
    assert all(later - one >= 0.3 for one, later in pairwise(looks))


def test_a_core_that_does_not_read_is_not_flooded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "TICK", 0.1)
    monkeypatch.setattr(observer, "SHARE", 1)

    async def test(running: Inside) -> None:
        link, core = running.house.link, running.core
        await eventually(lambda: core.heard("seen"))
        core.deaf.set()
        for _ in range(2_000):
            link.tell({"t": "beat"})
        assert link.busy
        with scene(FAMILY) as child:
            await asyncio.sleep(observer.TICK * 10)  # what is measured is that this time adds nothing
            waiting = [data for _, data in link._outbox]  # noqa: SLF001  what waits for room
            assert not any(b'"seen"' in data or b'"census"' in data for data in waiting)
            core.deaf.clear()
            await eventually(lambda: parent_of(core, child["worker"]))

    observed(test)


def test_an_outbox_that_is_just_being_emptied_is_not_full(monkeypatch: pytest.MonkeyPatch) -> None:

    async def test(running: Inside) -> None:
        link, seen = running.house.link, []
        sock = link._sock  # noqa: SLF001  the moment of sending is the thread's moment to ask

        class Asking:
            def send(self, data: bytes) -> int:
                seen.append(link.busy)
                return sock.send(data)

            def __getattr__(self, name: str) -> object:
                return getattr(sock, name)

        monkeypatch.setattr(link, "_sock", Asking())
        link.tell({"t": "beat"})
        assert seen == [False]
        monkeypatch.undo()

    observed(test)


def test_an_error_is_said_once_and_everything_told_anew(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(observer, "PAUSE", 0.01)
    monkeypatch.setattr(observer, "TICK", 0.01)
    monkeypatch.setattr(observer, "SHARE", 1)
    real, calls = observer.Observer._look, []  # noqa: SLF001  where an error of ours would be

    def sometimes(self: observer.Observer) -> observer.Sight:
        calls.append(1)
        if len(calls) in (2, 3, 5):
            raise ZeroDivisionError("a bug")
        return real(self)

    monkeypatch.setattr(observer.Observer, "_look", sometimes)

    async def test(running: Inside) -> None:
        await eventually(lambda: sum(m["fresh"] for m in running.core.heard("seen")) == 3)

    observed(test)
    lines = [line for line in capfd.readouterr().err.splitlines() if "observe" in line]
    assert lines == ["initd web: cannot observe the processes: ZeroDivisionError('a bug'); trying again"]


def test_without_proc_it_is_said_with_the_cure_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(observer, "PAUSE", 0.01)
    tries: list[int] = []

    def unlistable(_: object) -> None:
        tries.append(1)
        raise Problem("internal", "cannot list /proc: No such file or directory; mount it")

    monkeypatch.setattr("web.sampler.Sampler.scan", unlistable)

    async def test(_: Inside) -> None:
        await eventually(lambda: len(tries) > 3)

    observed(test)
    said = capfd.readouterr().err
    assert said == "initd web: cannot list /proc: No such file or directory; mount it; trying again\n"


def test_a_command_line_is_one_short_text_whatever_is_in_it() -> None:
    code = r"""
r, w = os.pipe()
pid = os.fork()
if not pid:
    os.dup2(w, 9)
    os.execv("/bin/sh", [b"sh", b"-c", b"echo >&9; read x", b"\xff a\n", b"x" * 5000])
os.read(r, 1)
ready(sh=pid, dead=zombie(b"gone"))
stay()
"""
    with scene(code) as child:
        text = read_cmdline(child["sh"])
        assert text is not None
        assert text.startswith("sh -c echo >&9; read x \\xff a\n xxx")
        assert len(text) == 200
        assert read_cmdline(child["dead"]) is None
    assert read_cmdline(child["sh"]) is None
