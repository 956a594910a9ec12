"""storm: orphans as fast as they can be made, and how initd stands it.

A burst is a parent that forks some children, which end at once, and then ends without having waited: all of
them go to initd, dead or alive, and each costs it one wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from web.ctl.errors import CtlError
from web.ctl.lab.bench import GLANCE, PATIENCE, Bench, no_room, rename
from web.ctl.lab.story import Lab, Order

BURST = 50  # at most so many processes at once, so that a storm fits under a low pids.max; fits an exit code


def make(bench: Bench, order: Order) -> Iterator[str]:
    del bench  # nothing of a storm stays
    before = _reaped(order)
    began = time.monotonic()
    made = 0
    while made < order.count and time.monotonic() - began < order.seconds:
        fresh = _burst(min(BURST, order.count - made))
        made += fresh
        if not fresh:
            raise no_room(f"the kernel makes no more processes after {made} orphans")
    took = time.monotonic() - began
    yield f"orphans {made} of {order.count} in {took:.1f} s, {made / took:.0f} a second"
    yield _figures(before, made, order)


def _burst(count: int) -> int:
    """How many orphans were made."""
    parent = os.fork()
    if parent == 0:
        made = 0
        try:
            rename("lab-storm")
            for _ in range(count):
                if os.fork() == 0:
                    os._exit(0)
                made += 1
        finally:
            os._exit(made)
    return os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1])


def _reaped(order: Order) -> int | None:
    try:
        return int(order.status()["reaped"]["total"])
    except CtlError:
        return None


def _figures(before: int | None, made: int, order: Order) -> str:
    """Asks until initd has caught up, which it has at once unless the machine is full."""
    deadline = time.monotonic() + PATIENCE
    while True:
        after = _reaped(order)
        if before is None or after is None:
            return "initd cannot be asked, so how it stood that is not known; say --socket or --url"
        if after - before >= made or time.monotonic() > deadline:
            zombies = order.status()["zombies"]
            return f"reaped  {before} before, {after} after: {after - before} more; zombies {zombies}"
        time.sleep(GLANCE)


LAB = Lab(
    make,
    "reaped grows by one for each orphan, no zombie is left, and probes are answered all the while.",
    (("status", "status"), ("events --kind reaped -n 3", "events?kind=reaped&limit=3")),
    count=2000,
)
