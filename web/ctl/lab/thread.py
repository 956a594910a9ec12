"""thread: a process whose first thread has ended, and which goes on all the same.

To the kernel every child belongs to the thread that forked it. When that thread ends and another one of the
same process lives, the child goes there: the first of the three steps, and the process stays its parent.
But a first thread that has ended looks like a zombie in /proc, until the last one of its process ends too.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

from web.ctl.errors import CtlError
from web.ctl.lab.bench import GLANCE, PATIENCE, Bench, Held, stat
from web.ctl.lab.story import Lab, Order

# The call that ends one thread, _exit(2). pthread_exit(3) would unwind the stack, and needs libgcc for that.
SYS_EXIT = {"x86_64": 60, "aarch64": 93, "riscv64": 93, "loongarch64": 93}
OLDER = 1  # on all other architectures


def make(bench: Bench, order: Order) -> Iterator[str]:
    def remain() -> None:
        with suppress(ChildProcessError):
            while True:
                os.wait()  # any thread may wait for the children of all; they stay until the lab lets go
        os._exit(0)

    def parent() -> None:
        for _ in range(order.count):
            bench.fork("lab-child", bench.stay)
        Thread(target=remain).start()
        ctypes.CDLL(None).syscall(SYS_EXIT.get(os.uname().machine, OLDER), 0)

    bench.fork("lab-parent", parent)
    made, child, *_ = bench.met(1 + order.count)
    _until_it_looks_dead(made)
    yield f"parent  {made}: its first thread, which forked, has ended; another one stays"
    yield f"child   {child}: stays"
    yield f"/proc shows {made} as a zombie, and it lives. {child} is its child, as before{_seen(made)}."


def _until_it_looks_dead(made: Held) -> None:
    deadline = time.monotonic() + PATIENCE
    while (now := stat(made.pid)) and now.state != "Z":
        if time.monotonic() > deadline:
            raise CtlError(f"cannot end the first thread of {made}: the system call for it is refused")
        time.sleep(GLANCE / 10)


def _seen(made: Held) -> str:
    """Which thread has the children, where the kernel tells (CONFIG_PROC_CHILDREN)."""
    try:
        for thread in os.listdir(f"/proc/{made}/task"):
            with open(f"/proc/{made}/task/{thread}/children") as file:
                if file.read():
                    return f": its thread {thread} has it now"
    except (FileNotFoundError, ProcessLookupError):
        pass
    return ""


LAB = Lab(
    make,
    "{1} is no orphan, and nothing is adopted: no event. Nobody can reap {0} before its last thread ends, so "
    "initd does not count it among the zombies.",
    (
        ("tree {0}", "tree?root={0}"),
        ("ps --name lab-parent", "processes?name=lab-parent"),
        ("zombies", "zombies"),
    ),
)
