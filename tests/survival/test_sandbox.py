"""A web that somebody else steers: what the kernel does not let it do.

The intruder is walled.py, which goes through the same walls as web; that the running web stands behind them
is read from what the kernel says of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene, first, program, scene
from tests.web.served import ROOT
from web import seccomp

WALLED = Path(__file__).parent / "programs/walled.py"
LOOKS_ONLY = "read the application's file"  # Landlock's, so only where web is another user than the init
CONNECTION = "connect by TCP"


@contextmanager
def place() -> Iterator[Path]:
    """A directory where everybody may write, with a file that everybody may read and write."""
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o777)  # noqa: S103  so that only the walls keep it out
        there = Path(home, "there")
        there.write_text("precious")
        there.chmod(0o666)
        yield Path(home)


def attack(user: str, connects: str = "no", uid: int = 0) -> dict[str, Any]:
    """What walled.py says; ``uid`` is that of the init, whose child web is."""
    with place() as home, tempfile.NamedTemporaryFile() as secret:
        victim = subprocess.Popen(["sleep", "1000"], user=uid)
        try:
            words = [
                sys.executable,
                "-P",
                str(WALLED),
                user,
                connects,
                secret.name,
                str(home),
                str(victim.pid),
            ]
            environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
            ran = subprocess.run(
                words, capture_output=True, env=environ, user=uid, timeout=60, check=True, text=True
            )
            assert ran.stderr == ""
            assert victim.poll() is None
            assert (home / "there").read_text() == "precious"
            assert [path.name for path in home.iterdir()] == ["there"]
        finally:
            victim.kill()
            victim.wait()
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def complaints(made: Scene) -> list[str]:
    return [line for line in made.err().splitlines() if not line.startswith("initd: listening on ")]


def succeeded(tried: dict[str, str]) -> set[str]:
    return {name for name, outcome in tried.items() if outcome == "done"}


WORK = {
    "list the processes",
    "ask psutil",
    "see itself",
    "watch another",
    "read the control group",
    "import late",
    "prepare TLS",
    "draw lots",
    "know its limits",
    "exit",
}


@pytest.mark.survives(
    "web is taken over, and tries what an intruder would",
    "everything but its own work: the kernel refuses it",
)
def test_an_intruder_in_web_can_do_nothing_but_its_work(figures: dict[str, object]) -> None:
    told = attack("nobody")
    tried = told["tried"]
    assert succeeded(tried) == WORK
    refused = {name: outcome for name, outcome in tried.items() if outcome != "done"}
    assert set(refused.values()) <= {"EPERM", "EACCES", "ENOSYS", "EAGAIN"}
    assert refused[CONNECTION] == "EPERM"
    figures["refused"] = len(refused)
    figures["cost at start"] = f"{1_000 * told['seconds']:.1f} ms"


def test_where_checks_are_asked_for_it_may_connect_by_tcp_and_no_more() -> None:
    tried = attack("nobody", connects="yes")["tried"]
    assert succeeded(tried) == WORK
    assert tried[CONNECTION] == "ECONNREFUSED"
    assert {tried[name] for name in ("send by UDP", "connect to a unix socket", "speak netlink")} == {"EPERM"}


@pytest.mark.survives(
    "web is taken over in a container that is not root's, or with --http-user root",
    "everything but files that its user may read",
)
@pytest.mark.parametrize(("user", "uid"), [("root", 0), ("nobody", 1_000)])
def test_of_the_inits_own_user_it_still_only_reads(user: str, uid: int) -> None:
    told = attack(user, uid=uid)
    reads = {LOOKS_ONLY} | ({"read root's file"} if uid == 0 else set())
    assert succeeded(told["tried"]) == WORK | reads
    assert told["status"]["NoNewPrivs"] == "1"
    assert told["status"]["Seccomp"] == "2"


def test_roots_web_keeps_of_roots_powers_those_to_look() -> None:
    status = attack("root")["status"]
    assert int(status["CapPrm"], 16) in (1 << 19 | 1 << 2, 1 << 19)  # SYS_PTRACE, DAC_READ_SEARCH
    assert int(status["CapBnd"], 16) == int(status["CapInh"], 16) == 0


@pytest.mark.parametrize(
    "before", [(), ("setpriv", "--bounding-set", "-sys_ptrace")], ids=["all", "as Docker"]
)
def test_roots_web_looks_into_other_processes_of_root(before: tuple[str, ...]) -> None:
    with scene("sleep", "1000", options=("--http-user", "root"), before=before) as made:
        detail = made.get(f"/api/v1/processes/{made.status()['main']['pid']}")
        assert detail["unreadable"] == []
        assert detail["exe"].endswith("/sleep")


@pytest.mark.parametrize("options", [(), ("--http-user", "daemon")])
def test_the_running_web_stands_behind_these_walls(options: tuple[str, ...]) -> None:
    with scene("sleep", "1000", options=options) as made:
        web = made.web
        for task in Path(f"/proc/{web}/task").iterdir():
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines())
            assert (status["NoNewPrivs"], status["Seccomp"], status["Seccomp_filters"]) == ("1", "2", "1")
            sets = (status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
            assert {int(one, 16) for one in sets} == {0}
            assert set(status["Groups"].split()) <= {status["Gid"].split()[0]}
        limits = Path(f"/proc/{web}/limits").read_text()
        assert re.search(r"Max processes +0 +0 ", limits)
        assert re.search(r"Max core file size +0 +0 ", limits)
        assert Path(f"/proc/{web}/environ").stat().st_uid == 0  # not dumpable: not its own user's to read
        assert complaints(made) == []


def test_whoever_may_read_mains_memory_still_cannot_read_webs() -> None:
    """In a container without root main and web are one user, and web knows the tokens."""
    poor = (*first("chmod 777 ."), "setpriv", "--reuid", "1000", "--clear-groups")
    with scene("sleep", "1000", before=poor) as made:
        main, web = made.main, made.web
        files = [f"/proc/{pid}/{name}" for pid in (main, web) for name in ("environ", "maps")]
        peeks = [
            subprocess.run(["head", "-c1", name], capture_output=True, check=False, user=1_000).stdout
            for name in files
        ]
        assert [bool(peek) for peek in peeks] == [True, True, False, False]


# --- what must go on working ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["tcp", "http"])
def test_checks_and_exits_and_streams_work_behind_the_walls(how: str) -> None:
    with scene(*program("server.py", 19_351), options=(f"--ready-{how}", "19351")) as made:
        made.ready()
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "the check to pass")
        detail = made.get(f"/api/v1/processes/{made.status()['main']['pid']}")
        assert detail["user"]["name"] == "root"
        assert detail["cmdline"]
        made.ask("GET", "/metrics", headers={"Accept": "text/plain"})
        assert complaints(made) == []


# --- the kernel that refuses ----------------------------------------------------------------------------


def test_a_kernel_that_refuses_the_filter_costs_one_line_and_nothing_else() -> None:
    with refusing("seccomp") as made:
        assert made.status()["main"]["state"] == "running"
        (line,) = complaints(made)
        assert line.startswith("initd web: cannot seal web by seccomp (Function not implemented); ")
        assert kernel.status(made.web)["NoNewPrivs"] == "1"


def test_a_kernel_without_landlock_is_not_worth_a_line() -> None:
    with refusing("landlock_create_ruleset") as made:
        assert made.status()["main"]["state"] == "running"
        assert kernel.status(made.web)["Seccomp"] == "2"
        assert complaints(made) == []


@contextmanager
def refusing(name: str) -> Iterator[Scene]:
    """An initd whose kernel does not know this call."""
    refuse = (sys.executable, str(WALLED.with_name("refuse.py")), name, "ENOSYS", "--")
    with scene("sleep", "1000", before=refuse) as made:
        yield made


# --- the table ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "header"),
    [("x86_64", "x86_64-linux-gnu/asm/unistd_64.h"), ("aarch64", "asm-generic/unistd.h")],
)
def test_every_number_is_the_kernels_own(machine: str, header: str) -> None:
    text = Path("/usr/include", header).read_text()
    told = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    row = seccomp.MACHINES[machine]
    ours = {**seccomp.numbers(row), **seccomp.KNOWN}
    ours |= {field: getattr(row, field) for field in row._fields[2:] if getattr(row, field) is not None}
    assert {name: told[name] for name in ours} == ours
    assert max(seccomp.numbers(row).values()) < seccomp.YOUNG
