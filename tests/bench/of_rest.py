"""What an init is while nothing happens: its memory, its wake-ups, its CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from . import stage as kernel
from .experiment import Act, Experiment
from .figures import Limit, Row
from .house import House
from .parties import BUNDLED, EVERYONE, INITD, NO_HTTP, here
from .stage import Stage

_WINDOW = 10.0  # seconds of idling
TOGETHER = "supervisord + circusd's stats"


@contextmanager
def _resting(house: House, _: int) -> Iterator[dict[str, Act]]:
    """All at once and side by side: rest disturbs nobody, and each is looked at over the same seconds."""
    with ExitStack() as stack:
        stages = {
            name: stack.enter_context(house.settled(name, "stamp", BENCH_STAY=1))
            for name in here(EVERYONE)
            if name != BUNDLED
        }
        time.sleep(3.0)  # a supervisor's stats process takes its time
        acts: dict[str, Act] = {name: Rest(stage).act for name, stage in stages.items()}
        if {"supervisord", "circusd"} <= stages.keys():
            acts[TOGETHER] = partial(_together, stages["supervisord"], stages["circusd"])
        yield acts


def _group(stage: Stage) -> list[int]:
    """PID 1 and whoever of its own runs beside main."""
    return [stage.init, *(pid for pid in kernel.children(stage.init) if kernel.program_of(pid) != "stamp")]


def _together(supervisord: Stage, circusd: Stage) -> dict[str, list[float]]:
    """One that supervises, and a process that serves figures about it."""
    group = [supervisord.init, *_group(circusd)[1:]]
    return {"memory": [sum(kernel.resident(group).values()) / 1e6]}


class Rest:
    """What one party does while nothing happens, from one look to the next."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._seen = self._look()

    def _look(self) -> tuple[float, int, int]:
        return time.monotonic(), kernel.switches(self.stage.init), kernel.cpu(*_group(self.stage))

    def act(self) -> Mapping[str, list[float]]:
        time.sleep(max(0.0, self._seen[0] + _WINDOW - time.monotonic()))
        before, self._seen = self._seen, self._look()
        seconds, wakes, busy = (new - old for new, old in zip(self._seen, before, strict=True))
        sizes = kernel.resident(_group(self.stage))
        memory = {"memory": [sum(sizes.values()) / 1e6], "memory of PID 1": [sizes[self.stage.init] / 1e6]}
        if len(sizes) > 1:
            memory["memory of web"] = [(sum(sizes.values()) - sizes[self.stage.init]) / 1e6]
        return {"wakes": [wakes / seconds], "idle": [busy / seconds / 1e7], **memory}


EXPERIMENTS = (
    Experiment(
        "rest",
        "At rest",
        "Ten seconds at a time, of all parties side by side, while main sleeps. Memory is PSS as it is where "
        "nobody else runs the same programs; that of web is also that of circusd's stats process. "
        f"`{TOGETHER}` is what would do initd's job: supervise, and answer with figures.",
        _resting,
        (
            Row(
                "wakes",
                "idle, wake-ups of PID 1 a second",
                "",
                limits=(Limit(INITD, 1.0, 1.0), Limit(NO_HTTP, 1.0, 0.0)),
            ),
            Row("idle", "idle, CPU of all", "% of a core", limits=(Limit(INITD, 0.2, 0.1),)),
            Row("memory of PID 1", "PSS, PID 1", "MB", "supervisord", (Limit(INITD, 9.0, 7.0),)),
            Row("memory of web", "PSS, web", "MB", "circusd", (Limit(INITD, 32.0, 28.0),)),
            Row("memory", "PSS, both", "MB", TOGETHER, (Limit(INITD, 1.0, 0.6, TOGETHER),)),
        ),
        rounds=3,
    ),
)
