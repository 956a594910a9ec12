"""/api/v1/processes/{id}: what is told of one process, and what may not be."""

from __future__ import annotations

import json
import os
import pwd
from typing import Any

import pytest

from initd.procfs import parse_stat
from tests.web.fake_house import fake_house, get, own_state
from tests.web.scene import scene
from web.api import processes
from web.detail import READERS, detail, is_nested
from web.problem import Problem

NESTED = """
import ctypes
if ctypes.CDLL(None, use_errno=True).unshare(0x20000000):  # CLONE_NEWPID
    raise OSError(ctypes.get_errno(), "unshare")
pid = os.fork()
if pid: ready(inner=pid)
stay()
"""


def asked(process_id: object) -> Any:
    return get(fake_house(own_state()), processes.detail, f"/api/v1/processes/{process_id}")


def told(process_id: object) -> dict[str, Any]:
    answer = asked(process_id)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def starttime(pid: int) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:
        return parse_stat(file.read()).starttime


def test_a_process_tells_its_whole_self_but_never_its_environment() -> None:
    code = """
import signal
os.environ["SECRET"] = "hunter2"
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMIN + 3])
os.kill(os.getpid(), signal.SIGUSR1)
os.chdir("/tmp")
os.nice(3)
ready(pgrp=os.getpgrp(), session=os.getsid(0), exe=os.readlink("/proc/self/exe")); stay()
"""
    with scene(code) as child:
        body = told(f"{child['pid']}-{starttime(child['pid'])}")
    assert body["cmdline"][1:4] == ["-I", "-S", "-c"]
    assert body["exe"] == child["exe"]
    assert body["cwd"] == "/tmp"  # noqa: S108  a directory that is there, nothing is written
    assert body["user"] == {
        "name": pwd.getpwuid(os.geteuid()).pw_name,
        "uid": os.geteuid(),
        "gid": os.getegid(),
    }
    assert body["nice"] == os.nice(0) + 3
    assert (body["pgrp"], body["session"]) == (child["pgrp"], child["session"])
    assert body["memory"]["virtual_bytes"] > body["memory"]["resident_bytes"] > 0
    assert body["memory_full"]["proportional_bytes"] > 0
    assert body["fds"] == 3
    assert body["signals"]["blocked"] == ["USR1", "RTMIN+3"]
    assert body["signals"]["pending"] == ["USR1"]
    assert "HUP" in body["signals"]["ignored"]
    assert "TERM" in body["signals"]["caught"]
    with open("/proc/self/cgroup", encoding="ascii") as file:
        ours = [line.rstrip("\n").split(":", 2)[1:] for line in file]
    assert body["cgroup"] == {controllers or "unified": path for controllers, path in ours}
    assert body["cpu"].keys() == {"user_seconds", "system_seconds"}
    assert body["unreadable"] == []
    assert body["name"] == "python3" or body["name"].startswith("python")
    assert "environ" not in body
    assert all("hunter2" not in str(value) for key, value in body.items() if key != "cmdline")


def test_a_zombie_has_no_command_line_and_that_is_not_called_unreadable() -> None:
    with scene("ready(dead=zombie(b'gone')); stay()") as child:
        body = told(child["dead"])
    assert body["state"] == "zombie"
    assert body["name"] == "gone"
    assert [body[key] for key in ("cmdline", "exe", "cwd")] == [None, None, None]
    assert body["unreadable"] == []


def test_arguments_of_any_bytes_come_through() -> None:
    code = r"""
r, w = os.pipe()
pid = os.fork()
if not pid:
    os.dup2(w, 9)
    os.execv("/bin/sh", [b"sh", b"-c", b"echo >&9; read x", b"\xff caf\xc3\xa9"])
os.read(r, 1)
ready(sh=pid)
stay()
"""
    with scene(code) as child:
        assert told(child["sh"])["cmdline"][-1] == r"\xff café"


def test_what_another_user_may_not_read_is_null_and_named() -> None:
    with scene("ready(); stay()") as child:
        body = _as_stranger(child["pid"] if os.geteuid() == 0 else 1)
    assert set(body["unreadable"]) == {"exe", "cwd", "memory_full", "fds"}
    assert all(body[name] is None for name in body["unreadable"])
    assert body["cmdline"]
    assert body["signals"]["caught"] is not None


def _as_stranger(pid: int) -> dict[str, Any]:
    """detail(pid) as seen by nobody, or by whoever we are."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        row = parse_stat(file.read())
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, json.dumps(detail(row)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        body: dict[str, Any] = json.load(file)
    os.waitpid(child, 0)
    return body


def test_a_pid_that_is_another_s_now_is_409_and_names_the_new_one() -> None:
    answer = asked(f"{os.getpid()}-1")
    assert answer.status_code == 409
    assert answer.json()["code"] == "reused_pid"
    assert f"{os.getpid()}-{starttime(os.getpid())}" in answer.json()["detail"]


def test_a_process_that_is_gone_is_404() -> None:
    with scene("ready(); stay()") as child:
        pass
    answer = asked(child["pid"])
    assert answer.status_code == 404
    assert answer.json()["code"] == "no_such_process"


def test_a_process_that_ends_while_it_is_read_is_404_not_a_mixture() -> None:
    with scene("ready(); stay()") as child, open(f"/proc/{child['pid']}/stat", "rb") as file:
        row = parse_stat(file.read())
    with pytest.raises(Problem, match="cannot find a process with pid"):
        detail(row)
    with open("/proc/self/stat", "rb") as file:
        reused = parse_stat(file.read())._replace(starttime=1)
    with pytest.raises(Problem, match="cannot find a process with pid"):
        detail(reused)


@pytest.mark.parametrize(
    "bad", ["0", "bad", "01", "12345678", "1-", "1-01", "1-2-3", "1%0A", "%D9%A1", "1-x"]
)
def test_an_id_that_is_none_is_400(bad: str) -> None:
    path = f"/api/v1/processes/{bad if bad[0].isdigit() else 'bad'}"
    answer = get(fake_house(own_state()), processes.detail, path)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "id"


GRANDCHILD = "pid = os.fork()\nif pid: ready(child=pid)\nstay()"


def test_who_would_adopt_its_children_is_told_by_what_is_known_of_subreapers() -> None:
    with scene(GRANDCHILD) as child:
        # this test is the init here, and says it is a subreaper, so that it must be the heir of its own
        heir = told(child["pid"])["would_adopt"]
        assert (heir["process"]["pid"], heir["step"], heir["sure"]) == (os.getpid(), "subreaper", True)
        heir = told(child["child"])["would_adopt"]
        assert (heir["process"]["pid"], heir["step"], heir["sure"]) == (os.getpid(), "subreaper", False)
        assert f"({child['pid']}) is a subreaper" in heir["detail"]
        house = fake_house(own_state())
        house.link.subreapers = [{"id": f"{child['pid']}-{starttime(child['pid'])}", "pid": 1, "name": "x"}]
        heir = get(house, processes.detail, f"/api/v1/processes/{child['child']}").json()["would_adopt"]
    assert (heir["process"]["pid"], heir["step"], heir["sure"]) == (child["pid"], "subreaper", True)


def test_a_zombie_has_no_children_to_leave() -> None:
    with scene("ready(dead=zombie(b'gone')); stay()") as child:
        assert told(child["dead"])["would_adopt"] is None


def test_a_process_in_a_pid_namespace_of_its_own_leaves_its_children_to_the_init_there() -> None:
    with scene(NESTED) as child:
        heir = told(child["inner"])["would_adopt"]
        assert not is_nested(child["pid"])
    assert (heir["process"], heir["step"], heir["sure"]) == (None, "init", False)
    assert "its own PID namespace" in heir["detail"]


def test_a_core_that_does_not_tell_of_subreapers_costs_certainty_not_the_answer() -> None:
    house = fake_house(own_state())

    async def refuse(_: str) -> None:
        raise Problem("malformed", "no question is called 'lineage'")

    house.link.shared = refuse
    with scene("ready(); stay()") as child:
        assert get(house, processes.detail, f"/api/v1/processes/{child['pid']}").status_code == 200


def test_every_reader_is_a_field_of_the_answer() -> None:
    assert READERS.keys() <= told(os.getpid()).keys()
