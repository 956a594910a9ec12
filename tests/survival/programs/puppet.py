"""puppet.py: main makes what standard input says, one command a line, and answers with what it made.

orphan NAME [PID]   an orphan that leads a session, with this pid
parent NAME         the same with a child called "kid"
daemon NAME PID     an orphan whose parent had this pid, led a session, and has ended

Whoever is made says "hit NUMBER PID" for each signal that it gets, and lives until it is killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial

HEARD = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def live(name: str) -> None:
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
    for number in HEARD:
        signal.signal(number, lambda caught, _: say(f"hit {caught} {os.getpid()}"))
    say(f"{name} {os.getpid()}")
    while True:
        signal.pause()


def child(what: Callable[[], object], pid: int = 0) -> int:
    """A child that does this, with this pid: another fork beside us may take a number first."""
    while True:
        if pid:
            with open("/proc/sys/kernel/ns_last_pid", "w") as last:
                last.write(str(pid - 1))
        made = os.fork()
        if made == 0:
            if pid in (0, os.getpid()):
                what()
            os._exit(0)
        if pid in (0, made):
            return made
        os.waitpid(made, 0)


def orphan(what: Callable[[], object], pid: int = 0) -> None:
    os.waitpid(child(partial(child, partial(session, what), pid)), 0)


def session(what: Callable[[], object]) -> None:
    os.setsid()
    what()


def parent(name: str) -> None:
    child(partial(live, "kid"))
    live(name)


say("ready")
for line in sys.stdin:
    what, name, *numbers = line.split()
    pid = int(numbers[0]) if numbers else 0
    if what == "orphan":
        orphan(partial(live, name), pid)
    elif what == "parent":
        orphan(partial(parent, name))
    else:
        os.waitpid(child(partial(session, partial(child, partial(live, name))), pid), 0)
