"""Worlds in which something is missing, made for one initd alone.

Law of this file: words to put before initd, and what is changed under one that runs; it asserts nothing.
"""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kernel.harness import PYTHON, first

PROGRAMS = Path(__file__).with_name("programs")


def refusing(*calls: str, number: str = "EPERM") -> tuple[str, ...]:
    """Before initd: a filter that answers these system calls with this error."""
    return (*PYTHON, str(PROGRAMS / "refuse.py"), *calls, number, "--")


@contextmanager
def without_descriptors(pid: int) -> Iterator[None]:
    """What is open goes on, and not one more can be opened: EMFILE. It must be a process of root."""
    taken = set(map(int, os.listdir(f"/proc/{pid}/fd")))
    free = next(number for number in range(len(taken) + 1) if number not in taken)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


class Misfortune:
    """What misfortune.c does to all programs of a scene, from the next call on."""

    def __init__(self, place: Path) -> None:
        self._page = place / "page"
        self._page.write_bytes(struct.pack("qq", 0, 0))
        (place / "etc").mkdir()
        library, source = place / "misfortune.so", PROGRAMS / "misfortune.c"
        flags = ["-O1", "-shared", "-fPIC", f'-DMISFORTUNE="{self._page}"']
        subprocess.run(["cc", *flags, "-o", library, source, "-ldl"], check=True)
        # An /etc of its own, because initd starts web without a word of our environment.
        etc = place / "etc"
        self.before = first(
            f"mount -t tmpfs none {etc} && mkdir {etc}/upper {etc}/work\n"
            f"mount -t overlay -o lowerdir=/etc,upperdir={etc}/upper,workdir={etc}/work none /etc\n"
            f"echo {library} >/etc/ld.so.preload"
        )

    def befall(self, *, seconds: int = 0, full: bool = False) -> None:
        """The wall clock is wrong by so much; no file can be opened on the whole machine (ENFILE)."""
        with self._page.open("r+b") as page:  # in place: it is mapped
            page.write(struct.pack("qq", seconds, full))


@contextmanager
def misfortune() -> Iterator[Misfortune]:
    """None as yet."""
    with tempfile.TemporaryDirectory(prefix="initd-test-") as place:
        yield Misfortune(Path(place))
