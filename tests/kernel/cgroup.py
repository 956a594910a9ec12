"""A control group of our own that limits the number of processes, or memory; cgroup v1 and v2.

Law of this file: what it makes under /sys/fs/cgroup it removes again.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .client import wait_for

V1 = Path("/sys/fs/cgroup/pids")
V2 = Path("/sys/fs/cgroup")
_LIMITS = {"pids": ("pids.max", "pids.max"), "memory": ("memory.limit_in_bytes", "memory.max")}  # v1, v2


class Limited:
    """The group: who is in it, and how many may be."""

    def __init__(self, path: Path, controller: str) -> None:
        self.path, self.controller = path, controller

    def enter(self) -> None:
        """For the process that calls this, and all that come of it."""
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def current(self) -> int:
        return int((self.path / "pids.current").read_text())

    @property
    def as_in_a_container(self) -> str:
        """Shell: the group is what /sys/fs/cgroup shows, as an engine mounts it."""
        return f"mount --bind {self.path} {V1 if self.path.is_relative_to(V1) else V2}"

    def limit(self, most: int | str) -> None:
        """At most so many tasks, or bytes; -1 is no limit."""
        v1, v2 = _LIMITS[self.controller]
        unified = (self.path / v2).exists()
        (self.path / (v2 if unified else v1)).write_text("max" if unified and most == -1 else str(most))


@contextmanager
def limited(controller: str = "pids") -> Iterator[Limited]:
    """A new group, beside all others."""
    base = V2 / controller if (V2 / controller).is_dir() else V2
    if base == V2:
        (base / "cgroup.subtree_control").write_text(f"+{controller}")
    path = base / f"initd-test-{uuid.uuid4().hex[:12]}"
    path.mkdir()
    try:
        yield Limited(path, controller)
    finally:
        wait_for(lambda: not (path / "cgroup.procs").read_text(), "the group to be empty")
        path.rmdir()
