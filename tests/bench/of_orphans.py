"""What a reap costs, and what a storm of orphans does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from . import stage as kernel
from .experiment import Act, Experiment
from .figures import Limit, Row
from .house import House
from .parties import BUNDLED, EVERYONE, INITD, NO_HTTP, here
from .stage import Stage

# Those take seconds for a hundred orphans, and have as many zombies as there are orphans.
_SLOW = ("supervisord", "circusd", "runsvdir")
_TOO_MANY = 1_000  # for them


@contextmanager
def _storms(house: House, orphans: int) -> Iterator[dict[str, Act]]:
    names = [
        name for name in here(EVERYONE) if name != BUNDLED and not (orphans > _TOO_MANY and name in _SLOW)
    ]
    with ExitStack() as stack:
        stages = {
            name: stack.enter_context(house.settled(name, "storm", BENCH_ORPHANS=orphans)) for name in names
        }
        yield {name: partial(_storm, house, stage, orphans) for name, stage in stages.items()}


def _storm(house: House, stage: Stage, orphans: int) -> dict[str, list[float]]:
    """Twice: what it costs, and then with somebody who counts zombies, which slows all alike."""
    stage.settle()
    before = kernel.cpu(stage.init)
    wall = _blow(stage)
    stage.settle()
    cost = (kernel.cpu(stage.init) - before) / orphans / 1e3
    with house.watching(stage) as watch:
        _blow(stage)
        os.kill(watch.init, signal.SIGUSR1)
        return {"reap": [cost], "storm": [wall], "zombies": [float(watch.wait("MOST"))]}


def _blow(stage: Stage) -> float:
    """Milliseconds from the first orphan until the last one is reaped."""
    os.kill(stage.main("storm"), signal.SIGUSR1)
    began = stage.wait("GO")
    stage.wait("OVER")
    while kernel.zombies(stage.init):
        time.sleep(0.0005)
    return (time.monotonic_ns() - began) / 1e6


EXPERIMENTS = (
    Experiment(
        "storm",
        "Orphans",
        "Orphans that end at once, as fast as one C program can make them: what PID 1 spends on each "
        "(schedstat, the kernel's part included), how long until the last one is reaped, and how many "
        f"zombies there were at once. {', '.join(_SLOW)} are not asked for more than {_TOO_MANY:,}: "
        "they reap by and by.",
        _storms,
        (
            Row(
                "reap",
                "reap CPU per orphan",
                "µs",
                "tini",
                tuple(
                    limit
                    for size in (10_000, 20_000)
                    for limit in (
                        Limit(NO_HTTP, 2.0, 2.0, "tini", at=size),
                        Limit(INITD, 4.0, 3.0, "tini", at=size),
                    )
                ),
            ),
            Row("storm", "storm, wall", "ms", "tini", (Limit(INITD, 1.1, 1.05, "tini", at=20_000),)),
            Row("zombies", "storm, zombies at once", "", "tini", (Limit(INITD, 50, 50, at=20_000),)),
        ),
        rounds=4,
        sizes=(10, 100, 1_000, 10_000, 20_000),
        quick_sizes=(100, 2_000),
        growth=True,
    ),
)
