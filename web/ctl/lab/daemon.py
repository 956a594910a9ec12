"""daemon: the classic double fork, as daemon(7) has it for System V.

The first fork makes sure that we lead no process group, so that setsid can make a new session, without a
terminal. The second makes sure that the daemon does not lead that session, so that it never gets one again.
Its parent ends at once: every daemon of this kind is an orphan by design.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from web.ctl.lab.bench import Bench, adopter, stat
from web.ctl.lab.story import Lab, Order


def make(bench: Bench, order: Order) -> Iterator[str]:
    def daemon() -> None:
        os.chdir("/")
        os.umask(0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        bench.stay()

    def first() -> None:
        os.setsid()
        bench.fork("lab-daemon", daemon)

    for _ in range(order.count):
        pid = bench.fork("lab-first", first)
        _, made = bench.met(2)
        os.waitpid(pid, 0)
        found = stat(made.pid)
        yield f"first   {pid}: led a new session, forked, and ended at once"
        yield f"daemon  {made}: in session {found.session if found else '?'}, without a terminal"
        yield f"The kernel gave {made} to {adopter(made, pid)}."


LAB = Lab(
    make,
    "initd adopts {1}. Its parent {0} lived too short to be seen beside it; what is known of it is inferred "
    "from the session. Left alone, {1} would outlive the shell, or the docker exec, that started it.",
    (
        ("ps --adopted", "processes?adopted=true"),
        ("events --kind adopted -n 5", "events?kind=adopted&limit=5"),
    ),
)
