"""orphan: a child whose parent ends before it.

The kernel does not ask the child. It looks for a new parent in three steps: a live thread of the parent that
ended, else the nearest ancestor that called itself a subreaper, else PID 1 of the namespace.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from web.ctl.lab.bench import TOGETHER, Bench, adopter
from web.ctl.lab.story import Lab, Order


def make(bench: Bench, order: Order) -> Iterator[str]:
    def parent() -> None:
        for _ in range(order.count):
            bench.fork("lab-orphan", bench.stay)
        time.sleep(TOGETHER)

    pid = bench.fork("lab-parent", parent)
    made, orphan, *_ = bench.met(1 + order.count)
    yield f"parent  {made}: lives {TOGETHER} s"
    yield f"child   {orphan}: stays"
    os.waitpid(pid, 0)  # a good grandparent: without this the parent would be a zombie, and we its culprit
    yield f"The parent has ended. The kernel gave {orphan} to {adopter(orphan, pid)}."


LAB = Lab(
    make,
    "initd adopts {1}, which it never started: an event adopted names {0} as its former parent. When {1} "
    "ends, initd waits for it (reaped), so that it is no zombie.",
    (
        ("ps --adopted", "processes?adopted=true"),
        ("events --kind adopted,reaped -n 5", "events?kind=adopted,reaped&limit=5"),
        ("lineage", "lineage"),
    ),
)
