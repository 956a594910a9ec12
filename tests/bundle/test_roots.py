"""As PID 1 in each of three root file systems: only a libc, musl, and nothing at all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.bundle.layout import Layout
from tests.bundle.running import BIN, INITD, bundled, descriptors, ended, environment, inside
from tests.kernel import kernel
from tests.kernel.client import free_port
from tests.kernel.harness import ENVIRONMENT, Scene

# What would change a Python, a libc, or a shell in between; and bytes that are no text.
ODD = {
    "PYTHONHOME": "/none",
    "PYTHONPATH": "/none",
    "LC_ALL": "xx_XX.ISO-8859-5",
    "LOCPATH": "/none",
    "discovery.type": "single-node",
    "BYTES": os.fsdecode(b"\xff\xfe"),
    "EMPTY": "",
}
NOBODY = "65534"


@pytest.fixture(scope="module")
def running(root: Path) -> Iterator[Scene]:
    """initd around a main that stays, with a port, an odd environment and one descriptor more."""
    extra = os.open("/dev/null", os.O_RDONLY)
    try:
        with bundled(root, "/main", listen=None, init=_called(), env=ODD, fds=(extra,)) as made:
            made.ready()
            yield made
    finally:
        os.close(extra)


def _called() -> tuple[str, ...]:
    return (INITD, "--listen", f"127.0.0.1:{free_port()}", "--socket", "/initd.sock", "--")


def test_probes_and_metrics_answer_on_a_port(running: Scene) -> None:
    answers = [running.tcp("GET", path) for path in ("/livez", "/readyz", "/startupz", "/metrics", "/")]
    assert [answer.status for answer in answers] == [200] * 5
    assert "\ninitd_main_up 1.0\n" in answers[3].text


def test_the_socket_answers_with_what_is_inside(running: Scene) -> None:
    status = running.status()
    assert status["init"]["role"] == "pid1"
    assert status["main"]["argv"] == ["/main"]
    names = [process["name"] for process in running.get("/api/v1/processes")["processes"]]
    assert sorted(names) == ["initd", "initd-web", "main"]


def test_initctl_checks_and_shows(running: Scene) -> None:
    check = inside(running, f"{BIN}/initctl", "--socket", "/initd.sock", "check", "live")
    assert (check.returncode, check.stdout, check.stderr) == (0, "ok\n", "")
    tree = inside(running, f"{BIN}/initctl", "--socket", "/initd.sock", "tree")
    assert tree.stdout.startswith("initd(1)\n├─main(2)\n└─initd-web(3)\n")


def test_web_is_nobody_where_no_file_names_anybody(running: Scene) -> None:
    assert not (running.home / "etc/passwd").exists()
    assert kernel.status(running.web)["Uid"].split() == [NOBODY] * 4


def test_the_environment_of_main_is_the_one_given(running: Scene) -> None:
    given = {**ENVIRONMENT, **ODD}
    entries = [os.fsencode(f"{name}={value}") for name, value in given.items()]
    assert sorted(environment(running.main)) == sorted(entries)


def test_the_descriptors_of_main_are_those_found(running: Scene) -> None:
    found = descriptors(running.main)
    extra = max(found)
    out, err = (str(running.home / name) for name in ("stdout", "stderr"))
    assert found == {0: "/dev/null", 1: out, 2: err, extra: "/dev/null"}


def test_nothing_of_ours_is_mapped_into_main(running: Scene) -> None:
    maps = Path(f"/proc/{running.main}/maps").read_text()
    assert f"{running.home}/main" in maps
    assert "/opt/initd" not in maps


def test_all_of_init_and_web_comes_from_the_bundle(running: Scene) -> None:
    for pid in (running.init, running.web):
        mapped = {line.split(maxsplit=5)[5].strip() for line in _mapped(pid)}
        assert {path for path in mapped if not path.startswith(f"{running.home}/opt/initd/")} == set()
        assert f"{running.home}/opt/initd/lib/libc.so.6" in mapped


def _mapped(pid: int) -> list[str]:
    return [line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "/" in line]


def test_nothing_was_written_into_the_bundle(running: Scene, bundle: Layout) -> None:
    assert running.get("/api/v1/status")["ready"]
    placed = running.home / "opt/initd"
    assert {path.relative_to(placed) for path in placed.rglob("*")} == {
        path.relative_to(bundle.home) for path in bundle.home.rglob("*")
    }


def test_a_signal_arrives_and_the_exit_code_comes_back(root: Path) -> None:
    with bundled(root, "/main") as made:
        made.ready()
        assert made.stop(signal.SIGTERM) == 7


@pytest.mark.parametrize("code", [0, 3])
def test_mains_exit_code_is_ours(root: Path, code: int) -> None:
    assert ended(root, "/main", "exit", str(code))[:2] == (code, "")


def test_a_main_that_is_not_there_is_127(root: Path) -> None:
    code, _, said = ended(root, "/none")
    assert code == 127
    assert said.startswith("cannot run '/none': not found")


def test_an_orphan_is_adopted_and_reaped(root: Path) -> None:
    with bundled(root, "/main", "orphan") as made:
        made.ready()
        reaped = made.wait_event("reaped")
        assert (reaped["origin"], reaped["code"]) == ("adopted", 3)
        assert made.zombies() == []
