"""The bundle's initd as PID 1 in one of the root file systems.

Law of this file: how it is started and asked; it asserts nothing about it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kernel.harness import Scene, scene

BIN = "/opt/initd/bin"
INITD = f"{BIN}/initd"


@contextmanager
def bundled(root: Path, *main: str, options: Sequence[str] = (), **rest: Any) -> Iterator[Scene]:
    """initd with its socket at /initd.sock; ``init`` among the rest starts something else instead."""
    (root / "initd.sock").unlink(missing_ok=True)
    words = (INITD, "--listen", "none", "--socket", "/initd.sock", *options, "--")
    within = {"unshare": ("--root", str(root)), "home": root, "init": words}
    with scene(*main, **{**within, **rest}) as made:
        yield made


def ended(root: Path, *main: str, **rest: Any) -> tuple[int, str, str]:
    """Run it to its end: exit code, standard output, standard error."""
    with bundled(root, *main, **rest) as made:
        return made.wait(), made.out(), made.err()


def inside(made: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in its namespaces and its root, as `docker exec` does."""
    enter = ["nsenter", "--target", str(made.init), "--pid", "--mount", f"--root={made.home}", *words]
    return subprocess.run(enter, capture_output=True, check=False, text=True, timeout=60)


def environment(pid: int) -> list[bytes]:
    """The environment that a process was started with, entry by entry."""
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")[:-1]


def descriptors(pid: int) -> dict[int, str]:
    """The descriptors of a process, and what they are."""
    place = Path(f"/proc/{pid}/fd")
    return {int(name): os.readlink(place / name) for name in os.listdir(place)}
