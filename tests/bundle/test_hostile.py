"""What an image may say to every program's loader: it reaches main, which it is meant for, and not us."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle.running import BIN, bundled, environment, inside
from tests.kernel import kernel
from tests.kernel.harness import ENVIRONMENT

# /lib/agent.so is linked with the libc of its root. There it works, and into us it would be another libc.
LOADERS = {
    "LD_PRELOAD": "/lib/agent.so",
    "LD_LIBRARY_PATH": "/lib",
    "LD_BIND_NOW": "1",
    "GLIBC_TUNABLES": "glibc.malloc.arena_max=1",
}
CHECK = (f"{BIN}/initctl", "--socket", "/initd.sock", "check", "live")


def heard(root: Path) -> str:
    """What main's output begins with: agent.so says so, if the root has it, wherever it is loaded."""
    return "agent\nready\n" if (root / "lib/agent.so").exists() else "ready\n"


def test_ld_preload_is_mains_and_not_ours(root: Path) -> None:
    with bundled(root, "/main", env=LOADERS) as made:
        made.ready()
        assert made.out() == heard(root)
        assert "agent.so" not in Path(f"/proc/{made.init}/maps").read_text()
        given = {**ENVIRONMENT, **LOADERS}
        assert sorted(environment(made.main)) == sorted(f"{n}={v}".encode() for n, v in given.items())


def test_without_proc_main_gets_its_variables_too(root: Path) -> None:
    no_proc = ("--root", str(root), "--mount-proc=/sbin")
    with bundled(root, "/main", env=LOADERS, unshare=no_proc, options=("--socket", "none")) as made:
        made.ready()
        assert made.out() == heard(root)
        (main,) = (pid for pid in kernel.children(made.init) if kernel.name(pid) == "main")
        assert {f"{name}={value}".encode() for name, value in LOADERS.items()} <= set(environment(main))


def test_etc_ld_so_preload_is_not_ours(root: Path) -> None:
    listed = root / "etc/ld.so.preload"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text("/lib/agent.so\n")
    try:
        with bundled(root, "/main") as made:
            made.ready()
            assert "agent.so" not in Path(f"/proc/{made.init}/maps").read_text()
            check = inside(made, *CHECK)
            assert (check.returncode, check.stdout) == (0, "ok\n")
    finally:
        listed.unlink()


@pytest.mark.parametrize("library", ["/lib/none.so", "/main"])
def test_initctl_does_not_mind_either(empty: Path, library: str) -> None:
    with bundled(empty, "/main") as made:
        made.ready()
        # The tools of this machine that lead there would preload it too: the variable is set behind them.
        start = f"import os; os.execve({CHECK[0]!r}, {CHECK!r}, {{'LD_PRELOAD': {library!r}}})"
        check = inside(made, f"{BIN}/python3", "-IS", "-c", start)
        assert (check.returncode, check.stdout, check.stderr) == (0, "ok\n", "")


def test_an_interpreter_that_is_missing_is_one_line_and_125(empty: Path) -> None:
    (python,) = (empty / "opt/initd/bin").glob("python3.*")
    hidden = python.rename(empty / "hidden")
    try:
        with bundled(empty, "/main") as made:
            assert made.wait() == 125
            assert made.err() == (
                f"cannot start /opt/initd/bin/{python.name}: No such file or directory; "
                "take all of /opt/initd from one bundle\n"
            )
    finally:
        hidden.rename(python)
