"""web.__main__ and web.privileges: how web begins, what it gives up, how it ends, what it costs."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from initd import wire
from tests.web.fake_core import CONTROL, fake_core, hello
from tests.web.served import PATIENCE, ROOT, Web, launch, served, wait_for
from web import connection, privileges, server
from web.app import TABLE

FORM = {"body": b"signal=WINCH", "Content_Type": "application/x-www-form-urlencoded"}
NOBODY = 65_534


def status_of(pid: int, name: str) -> str:
    """One line of /proc/PID/status, which is there for everyone to read."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


def ask_everything(web: Web) -> None:
    for row in TABLE:
        path = row.path.format(id=os.getpid(), n=1, name="index.html")
        for method in row.methods:
            web.ask(path, method, token=CONTROL, **(FORM if path.endswith("/signal") else {}))
            web.ask_unix(path, method)
    web.ask("/api/v1/tree", token=CONTROL, Accept="text/plain")
    web.ask("/metrics", Accept="application/openmetrics-text")
    web.ask(
        "/nothing", Host="xn--bcher-kva.example", Origin="http://bücher.example".encode().decode("latin-1")
    )
    with web.connect() as sock:
        request = "GET /api/v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        sock.sendall(f"{request}Authorization: Bearer {CONTROL}\r\n\r\n".encode())
        web.core.happen()
        assert sock.recv(1_000).startswith(b"HTTP/1.1 200 ")


# --- the end --------------------------------------------------------------------------------------


def test_web_ends_at_once_when_the_core_is_gone() -> None:
    with served() as web:
        begin = time.monotonic()
        web.core.sock.shutdown(socket.SHUT_RDWR)
        assert web.process.wait(PATIENCE) == 0
        assert time.monotonic() - begin < 0.5


def test_web_ends_at_once_when_the_core_goes_before_its_greeting() -> None:
    with fake_core() as core, tempfile.TemporaryFile() as errors:
        core.web_side.recv(100_000)
        core.sock.shutdown(socket.SHUT_RDWR)
        assert launch(core, (), errors).wait(PATIENCE) == 0


@pytest.mark.parametrize(("how", "patience"), [("bye", server.GOODBYE), ("TERM", connection.HANDOVER)])
def test_web_ends_soon_when_told_to_even_with_streams_and_idle_connections(how: str, patience: float) -> None:
    with served() as web, web.connect(), web.connect() as stream:
        request = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        stream.sendall(f"{request}Authorization: Bearer {CONTROL}\r\n\r\n".encode())
        assert stream.recv(1_000)
        begin = time.monotonic()
        if how == "bye":
            web.core.send({"t": "bye"})
        else:
            web.process.terminate()
        assert web.process.wait(PATIENCE) == 0
        assert time.monotonic() - begin < patience + 0.4


def test_web_ends_soon_even_when_a_client_does_not_read() -> None:
    with served() as web, web.connect() as stream:
        request = "GET /api/v1/events?after=0 HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
        stream.sendall(f"{request}Authorization: Bearer {CONTROL}\r\n\r\n".encode())
        for _ in range(200):
            web.core.happen("status", text="x" * 50_000)
        heard = '"next":200}'
        wait_for(lambda: web.ask("/api/v1/events?limit=1", token=CONTROL).text.endswith(heard), "all of it")
        begin = time.monotonic()
        web.core.send({"t": "bye"})
        assert web.process.wait(PATIENCE) == 0
        assert time.monotonic() - begin < 1.0


def test_ctrl_c_at_the_terminal_is_not_for_web() -> None:
    with served() as web:
        web.process.send_signal(signal.SIGINT)
        assert web.ask("/livez").status == 200


_PARENT = """
import os, subprocess, sys
print(subprocess.Popen(sys.argv[1:], pass_fds=[3]).pid, flush=True)
os.read(0, 1)
"""


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_web_dies_with_its_parent_though_the_letterbox_stays_open(user: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(PATIENCE)
    with ours, theirs:
        parent = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PARENT, sys.executable, "-P", "-m", "web"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            pass_fds=[3],
            preexec_fn=lambda: os.dup2(theirs.fileno(), 3),  # noqa: PLW1509  as the core does it
        )
        with parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            init = {"pid": parent.pid, "uid": 0, "role": "pid1"}
            ours.send(wire.encode({"t": "hello", "v": wire.VERSION, **hello(init=init, http_user=user)}))
            assert wire.decode(ours.recv(wire.LIMIT))["t"] == "attach"
            parent.communicate(b"x", PATIENCE)
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or status_of(pid, "State")[0] in "ZX", "its death")


@pytest.mark.parametrize(
    "greeting",
    [b"what", b'{"t":"hello","v":99}', b'{"t":"hello","v":1}', b'{"t":"hello","v":1,"config":7,"init":{}}'],
)
def test_a_greeting_that_is_not_understood_is_one_line_and_exit_1(greeting: bytes) -> None:
    with fake_core() as core, tempfile.TemporaryFile() as errors:
        core.web_side.recv(100_000)
        core.sock.send(greeting)
        assert launch(core, (), errors).wait(PATIENCE) == 1
        errors.seek(0)
        said = errors.read().decode()
    assert said.startswith("initd web: cannot ")
    assert said.count("\n") == 1


def test_web_that_was_started_by_another_than_it_is_told_ends() -> None:
    with fake_core(init={"pid": 2**22, "uid": 0, "role": "pid1"}) as core, tempfile.TemporaryFile() as errors:
        assert launch(core, (), errors).wait(PATIENCE) == 0


# --- privileges -----------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["nobody", "65534", None, "root"])
def test_web_runs_as_nobody_unless_told_otherwise_and_gains_no_privilege(user: str | None) -> None:
    with served(http_user=user) as web:
        kept = os.getuid() != 0 or user in (None, "root")
        uid, gid = (os.getuid(), os.getgid()) if kept else (NOBODY, NOBODY)
        assert status_of(web.process.pid, "Uid").split() == [str(uid)] * 4
        assert status_of(web.process.pid, "Gid").split() == [str(gid)] * 4
        assert status_of(web.process.pid, "NoNewPrivs") == "1"
        if not kept:
            assert set(status_of(web.process.pid, "Groups").split()) <= {str(NOBODY)}
            assert int(status_of(web.process.pid, "CapPrm"), 16) == 0
        assert web.ask("/livez").status == 200
        assert web.ask("/api/v1/tree", token=CONTROL).status == 200


def test_web_is_the_first_to_go_when_memory_ends(web: Web) -> None:
    assert Path(f"/proc/{web.process.pid}/oom_score_adj").read_text() == "1000\n"


def test_a_user_who_cannot_be_become_is_a_warning_with_its_cure(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "setgroups", refuse)
    monkeypatch.setattr(os, "initgroups", refuse)
    monkeypatch.setattr(privileges, "prctl", lambda *_: None)
    monkeypatch.setattr(privileges, "_only_look", lambda: None)
    privileges.drop("65533")
    said = capfd.readouterr().err
    assert said.startswith("initd web: cannot become 65533 (Operation not permitted), web goes on as root: ")
    assert said.count("\n") == 1


def test_a_user_that_is_not_known_is_said_and_nobody_instead(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    became: list[object] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(privileges, "_become", lambda *who: became.append(who))
    monkeypatch.setattr(privileges, "prctl", lambda *_: None)
    monkeypatch.setattr(privileges, "_only_look", lambda: None)
    privileges.drop("no-such-user-here")
    assert became == [(NOBODY, NOBODY, None)]
    assert capfd.readouterr().err.startswith(
        "initd web: cannot find the user no-such-user-here, web runs as 65534: "
    )


def test_groups_go_first_then_the_group_then_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("setgroups", "setresgid", "setresuid"):
        monkeypatch.setattr(os, name, lambda *_, name=name: done.append(name))
    privileges._become(7, 7, None)  # noqa: SLF001  what must not be done to a test process
    assert done == ["setgroups", "setresgid", "setresuid"]


# --- what it costs --------------------------------------------------------------------------------


def test_nothing_is_imported_and_no_thread_or_process_made_once_requests_come() -> None:
    log: list[str] = []
    with served("-v", log=log, connects=False) as web:  # with it more is loaded
        web.ask("/livez?marker")
        os.kill(web.process.pid, 0)
        threads = status_of(web.process.pid, "Threads")
        marker = _size_of_log(web)
        ask_everything(web)
        assert _size_of_log(web) == marker
        assert status_of(web.process.pid, "Threads") == threads
        assert Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text() == ""
    assert any(line.startswith("import 'web.app'") for line in log)


def _size_of_log(web: Web) -> int:
    return Path(web.path).with_name("log").stat().st_size


def test_an_idle_web_sleeps() -> None:
    with served() as web:
        ask_everything(web)
        tasks = [int(task.name) for task in Path(f"/proc/{web.process.pid}/task").iterdir()]
        before = sum(int(status_of(task, "voluntary_ctxt_switches")) for task in tasks)
        time.sleep(1.0)  # what is measured is this time
        after = sum(int(status_of(task, "voluntary_ctxt_switches")) for task in tasks)
        assert after - before <= 8, "two looks of the observer at the most, three wakes each"


def test_web_keeps_to_its_memory() -> None:
    with served(connects=False) as web:
        for number in range(2_500):
            web.core.happen(process={"id": f"{number}-1", "pid": number, "name": "worker"}, origin="adopted")
        ask_everything(web)
        lines = Path(f"/proc/{web.process.pid}/smaps_rollup").read_text().splitlines()
        pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        assert pss < 28_000, f"{pss} kB"


def test_probes_are_answered_when_all_descriptors_are_taken() -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    with served(prepare=few) as web:
        idle = [web.connect() for _ in range(45)]
        try:
            begin = time.monotonic()
            assert web.ask("/livez").status == 200
            assert time.monotonic() - begin < 0.9, "kubelet gives a probe one second"
            assert web.ask("/api/v1/processes", token=CONTROL).status == 200
        finally:
            for sock in idle:
                sock.close()


# --- a core that misbehaves -----------------------------------------------------------------------


def test_web_outlives_garbage_of_the_core_and_answers_its_beat() -> None:
    log: list[str] = []
    with served(log=log) as web:
        for data in (b"\x00", b"[]", b'{"t":"events","events":[[]]}', b"x" * 65_536):
            web.core.sock.send(data)
        web.core.send({"t": "beat"})
        wait_for(lambda: web.core.beats == 1, "the answer to a beat")
        assert web.ask("/livez").status == 200
    assert len(log) == 1


def test_a_core_that_reads_nothing_makes_a_problem_and_not_a_hang() -> None:
    with served() as web:
        web.core.deaf.set()
        for _ in range(3):
            assert web.ask("/livez").status == 503
        web.core.deaf.clear()
        assert web.ask("/livez").status == 200
