"""What a reap costs, and what a storm of orphans does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from . import stage as kernel
from .experiment import Act, Experiment, Open
from .figures import Limit, Row
from .house import House
from .parties import BUNDLED, EVERYONE, INITD, NO_HTTP, here
from .stage import Stage

# Those take seconds for a hundred orphans, and have as many zombies as there are orphans.
_SLOW = ("supervisord", "circusd", "runsvdir")
_TOO_MANY = 1_000  # for them


def _storms(kind: str, each: int) -> Open:
    """Storms of orphans that end ``each`` at a time."""

    @contextmanager
    def opened(house: House, orphans: int) -> Iterator[dict[str, Act]]:
        few = orphans <= _TOO_MANY
        names = [name for name in here(EVERYONE) if name != BUNDLED and (few or name not in _SLOW)]
        wish = {"BENCH_ORPHANS": orphans, "BENCH_EACH": each}
        with ExitStack() as stack:
            stages = {name: stack.enter_context(house.settled(name, "storm", **wish)) for name in names}
            yield {name: partial(_storm, kind, house, stage, orphans) for name, stage in stages.items()}

    return opened


def _storm(kind: str, house: House, stage: Stage, orphans: int) -> dict[str, list[float]]:
    """Twice: what it costs, and then with somebody who counts zombies, which slows all alike."""
    stage.settle()
    before = kernel.cpu(stage.init)
    wall = _blow(stage)
    stage.settle()
    cost = (kernel.cpu(stage.init) - before) / orphans / 1e3
    with house.watching(stage) as watch:
        _blow(stage)
        os.kill(watch.init, signal.SIGUSR1)
        most = float(watch.wait("MOST"))
    return {f"{kind}.reap": [cost], f"{kind}.wall": [wall], f"{kind}.zombies": [most]}


def _blow(stage: Stage) -> float:
    """Milliseconds from the first orphan until the last one is reaped."""
    os.kill(stage.main("storm"), signal.SIGUSR1)
    began = stage.wait("GO")
    stage.wait("OVER")
    while kernel.zombies(stage.init):
        time.sleep(0.0005)
    return (time.monotonic_ns() - began) / 1e6


def _rows(kind: str, what: str, sizes: tuple[int, ...]) -> tuple[Row, ...]:
    """What is asked of a storm, whatever its kind."""
    reaps = tuple(
        limit
        for size in sizes
        for limit in (
            Limit(NO_HTTP, 2.0, 2.0, "tini", at=size),
            Limit(INITD, 4.0, 3.0, "tini", at=size),
        )
    )
    walls = (Limit(INITD, 1.1, 1.05, "tini", at=20_000),)
    zombies = (Limit(INITD, 50, 50, at=20_000),)
    return (
        Row(f"{kind}.reap", f"reap CPU per orphan, {what}", "µs", "tini", reaps),
        Row(f"{kind}.wall", f"storm {what}, wall", "ms", "tini", walls),
        Row(f"{kind}.zombies", f"storm {what}, zombies at once", "", "tini", zombies),
    )


EXPERIMENTS = (
    Experiment(
        "daemons",
        "Orphans, one by one",
        "Orphans that end at once, each of a parent of its own that ends too, as a daemon is made: what "
        "PID 1 spends on each (schedstat, the kernel's part included), how long until the last is reaped, "
        "and how many zombies there were at once.",
        _storms("single", 1),
        _rows("single", "one by one", (20_000,)),
        rounds=4,
        sizes=(2_000, 20_000),
        quick_sizes=(2_000,),
        growth=True,
    ),
    Experiment(
        "storm",
        "Orphans, in fifties",
        "The same, as fast as one C program can make them: fifty of each parent, which are zombies before it "
        f"ends. {', '.join(_SLOW)} are not asked for more than {_TOO_MANY:,}: they reap by and by.",
        _storms("fifty", 50),
        _rows("fifty", "in fifties", (10_000, 20_000)),
        rounds=6,
        sizes=(10, 100, 1_000, 10_000, 20_000),
        quick_sizes=(100, 2_000),
        growth=True,
    ),
)
