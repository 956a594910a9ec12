"""How fast main is there, a signal is with it, the init is gone after it, and HTTP is up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from .client import Client
from .experiment import Act, Experiment
from .figures import Limit, Row
from .house import House
from .parties import BUNDLED, EVERYONE, FLOOR, INITD, INITS, NO_HTTP, here
from .stage import Stage

_SIGNALS = 200  # in a round, for each party


@contextmanager
def _starts(house: House, _: int) -> Iterator[dict[str, Act]]:
    yield {name: partial(_start, house, name) for name in here((FLOOR, *EVERYONE))}


def _start(house: House, party: str) -> dict[str, list[float]]:
    with house.stage(party, "stamp") as stage:
        began = stage.wait("START")
        if party == FLOOR:
            floor = (stage.wait("END") - began) / 1e6
            return {"start": [floor], "life": [floor]}
        started = {"start": [(stage.wait("MAIN") - began) / 1e6]}
        if party in (*INITS, BUNDLED):
            started["life"] = [(stage.wait("END") - began) / 1e6]
        return started


@contextmanager
def _ends(house: House, _: int) -> Iterator[dict[str, Act]]:
    yield {name: partial(_end, house, name) for name in here((*INITS, BUNDLED))}


def _end(house: House, party: str) -> dict[str, list[float]]:
    with house.settled(party, "stamp", BENCH_STAY=1) as stage:
        os.kill(stage.main("stamp"), signal.SIGUSR1)
        left = stage.wait("LEFT")
        return {"exit": [(stage.wait("END") - left) / 1e6]}


# --- signals -----------------------------------------------------------------------------------------


@contextmanager
def _signalled(house: House, _: int) -> Iterator[dict[str, Act]]:
    with ExitStack() as stack:
        yield {
            name: partial(_signal, stack.enter_context(house.settled(name, "handler")))
            for name in here(INITS)
        }


def _signal(stage: Stage) -> dict[str, list[float]]:
    waits = []
    for _ in range(_SIGNALS):
        time.sleep(0.001)  # it sleeps again, as it does when a signal comes
        sent = time.monotonic_ns()
        os.kill(stage.init, signal.SIGUSR1)
        waits.append((stage.wait("HIT") - sent) / 1e3)
    return {"signal": waits}


# --- HTTP comes up -----------------------------------------------------------------------------------------


@contextmanager
def _rising(house: House, _: int) -> Iterator[dict[str, Act]]:
    acts: dict[str, Act] = {name: partial(_rise, house, name) for name in here((INITD, BUNDLED))}
    yield {**acts, FLOOR: lambda: {"up": _start(house, FLOOR)["start"]}}


def _rise(house: House, party: str) -> dict[str, list[float]]:
    """The socket is there before main: a question waits in it, and nobody has to look again and again."""
    with house.stage(party, "stamp", BENCH_STAY=1) as stage:
        main = stage.wait("MAIN")
        client = Client(stage.socket)
        while client.get("/livez") != 200:
            time.sleep(0.001)
        return {"up": [(time.monotonic_ns() - main) / 1e6]}


EXPERIMENTS = (
    Experiment(
        "start",
        "Start",
        "From just before the exec of the init to the first instruction of main, a static C program; and to "
        "the init's own end, where main ends at once. "
        "The floor is `python3 -I -S -c pass`, from its exec to its end.",
        _starts,
        (
            Row(
                "start",
                "exec to main's first instruction",
                "ms",
                FLOOR,
                (Limit(INITD, 2.0, 1.5, FLOOR), Limit(BUNDLED, 2.0, 1.5, FLOOR)),
            ),
            Row("life", "exec to the end, of a main that ends at once", "ms", FLOOR),
        ),
        rounds=25,
        quick=3,
    ),
    Experiment(
        "exit",
        "End",
        "From main's last instruction to the moment at which the namespace is gone, web included.",
        _ends,
        (
            Row(
                "exit",
                "main's exit to the init's exit",
                "ms",
                "tini",
                (Limit(NO_HTTP, 3.0, 3.0, "tini"), Limit(INITD, 3.0, 3.0, "tini")),
            ),
        ),
        rounds=15,
        quick=2,
    ),
    Experiment(
        "signal",
        "Signals",
        "USR1 from outside the namespace to the time at which main's handler runs, "
        f"{_SIGNALS} of them in a round.",
        _signalled,
        (
            Row(
                "signal",
                "signal in to main's handler, p50",
                "µs",
                "tini",
                (Limit(NO_HTTP, 2.5, 2.0, "tini"), Limit(INITD, 2.5, 2.0, "tini")),
            ),
            Row(
                "signal99",
                "signal in to main's handler, p99",
                "µs",
                "tini",
                (Limit(NO_HTTP, 2.5, 2.0, "tini"), Limit(INITD, 2.5, 2.0, "tini")),
                share=0.99,
                samples="signal",
            ),
        ),
        rounds=10,
    ),
    Experiment(
        "up",
        "HTTP comes up",
        "From main's first instruction to the first 200 of /livez on the unix socket.",
        _rising,
        (Row("up", "HTTP up after main", "ms", FLOOR, (Limit(INITD, 350.0, 350.0),)),),
        rounds=15,
        quick=2,
    ),
)
