"""Every command of the README, to the letter, against an initd with its defaults.

The namespaces are those of a container: its own processes, its own /run, its own network. So the default port
and the default socket are free, whatever else runs here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house.imports import ROOT
from tests.kernel.client import wait_for

BIN = Path(sys.executable).parent
# lo is brought up by hand (SIOCSIFFLAGS), as ip(8) is not everywhere.
ENTRY = """
mount -t tmpfs tmpfs /run &&
python3 -c 'import fcntl, socket
fcntl.ioctl(socket.socket(), 0x8914, b"lo".ljust(16, bytes(1)) + b"\\1".ljust(24, bytes(1)))' &&
exec initd -- sh -c 'trap "" HUP; while :; do sleep 1; done'
"""
OF_MAKE = {"make run", "make test"}  # one runs in test_demo, the other runs this


def commands() -> list[str]:
    """The lines of all blocks that are marked as sh, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [line.partition(" #")[0].strip() for block in blocks for line in block.splitlines()]


@contextmanager
def container() -> Iterator[list[str]]:
    """initd as a container has it; gives the words that run a command inside."""
    inside = ["unshare", "--pid", "--fork", "--mount-proc", "--net", "--kill-child", "sh", "-c", ENTRY]
    environ = {"PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    with subprocess.Popen(inside, env=environ, stderr=subprocess.PIPE) as outer:
        try:
            children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
            init = wait_for(lambda: children.read_text().split(), "a child of unshare")[0]
            enter = ["nsenter", "-t", init, "--mount", "--pid", "--net", "env", f"PATH={environ['PATH']}"]
            wait_for(lambda: _answers(enter), "a ready initd")
            yield enter
        finally:
            outer.kill()


def _answers(enter: list[str]) -> bool:
    return (
        subprocess.run([*enter, "initctl", "check", "ready"], capture_output=True, check=False).returncode
        == 0
    )


@pytest.fixture(scope="module")
def enter() -> Iterator[list[str]]:
    with container() as words:
        yield words


def test_the_two_commands_of_make_come_first() -> None:
    assert commands()[:2] == ["make run", "make test"]


@pytest.mark.parametrize("command", [line for line in commands() if line not in OF_MAKE])
def test_a_command_of_the_readme_works(enter: list[str], command: str) -> None:
    # -f: an answer that is an error is an exit code; curl alone would be content with it.
    exact = re.sub(r"^curl ", "curl -sSf ", command)
    done = subprocess.run(
        [*enter, "sh", "-c", exact], capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_metric_of_the_readme_exists(enter: list[str]) -> None:
    shown = re.search(r"^(initd_\w+\{.*?\}) ", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert shown
    done = subprocess.run(
        [*enter, "curl", "-sSf", "http://localhost:9911/metrics"], capture_output=True, check=True
    )
    assert f"\n{shown[1]} ".encode() in done.stdout
