"""A control group of our own that limits the number of processes; cgroup v1 and v2.

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


class Limited:
    """The group: who is in it, and how many may be."""

    def __init__(self, path: Path) -> None:
        self.path = path

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
        (self.path / "pids.max").write_text(str(most))


@contextmanager
def limited() -> Iterator[Limited]:
    """A new group, beside all others."""
    base = V1 if V1.is_dir() else V2
    if base == V2:
        (base / "cgroup.subtree_control").write_text("+pids")
    path = base / f"initd-test-{uuid.uuid4().hex[:12]}"
    path.mkdir()
    try:
        yield Limited(path)
    finally:
        wait_for(lambda: not (path / "cgroup.procs").read_text(), "the group to be empty")
        path.rmdir()
