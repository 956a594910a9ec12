"""subreaper: a process that takes the orphans below it, before PID 1 can.

PR_SET_CHILD_SUBREAPER, prctl(2). The bit is not inherited, and needs no privilege. Who sets it promises to
wait: process managers, desktop sessions and container shims do so.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import suppress

from web.ctl.lab.bench import TOGETHER, Bench, adopter
from web.ctl.lab.story import Lab, Order

PR_SET_CHILD_SUBREAPER = 36


def make(bench: Bench, order: Order) -> Iterator[str]:
    def subreaper() -> None:
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        bench.fork("lab-parent", parent)
        with suppress(ChildProcessError):
            while True:
                os.wait()  # the promise: the parent first, then its orphans

    def parent() -> None:
        for _ in range(order.count):
            bench.fork("lab-orphan", bench.stay)
        time.sleep(TOGETHER)

    bench.fork("lab-subreaper", subreaper)
    above, made, orphan, *_ = bench.met(2 + order.count)
    yield f"subreaper {above}: stays, and waits for whatever becomes its child"
    yield f"parent    {made}: lives {TOGETHER} s"
    yield f"child     {orphan}: stays"
    yield f"The parent has ended. The kernel gave {orphan} to {adopter(orphan, made.pid)}."


LAB = Lab(
    make,
    "{2} goes to {0}, not to initd: no event adopted, and it hangs under {0} in the tree. initd sees it "
    "go: an event reparented names both.",
    (
        ("tree {0}", "tree?root={0}"),
        ("events --kind reparented -n 5", "events?kind=reparented&limit=5"),
    ),
)
