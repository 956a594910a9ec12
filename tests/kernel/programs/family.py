"""family.py WHAT: main with a family to watch; says ready, then does WHAT once when it gets USR1.

worker      a child "worker" with a child "kid", both until they are killed; nothing on USR1
subreaper   the same below a child "foster", which adopts (PR_SET_CHILD_SUBREAPER)
double      on USR1 a daemon by double fork and setsid: its parent led a session, and is gone at once
fleeting    on USR1 the same without setsid: a parent that led nothing
hog         on USR1 takes memory until the kernel ends it
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable

PR_SET_CHILD_SUBREAPER = 36


def name(text: str) -> None:
    with open("/proc/self/comm", "w") as comm:
        comm.write(text)


def child(what: Callable[[], None], called: str) -> int:
    """A child of that name, which has got it when this returns."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        name(called)
        os.write(writer, b".")
        os.close(writer)
        what()
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return pid


def live() -> None:
    while True:
        time.sleep(3600)


def worker() -> None:
    child(live, "kid")
    live()


def foster() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child(worker, "worker")
    while True:
        os.wait()


def leave_a_daemon(leads: bool) -> None:
    if os.fork() == 0:
        if leads:
            os.setsid()
        if os.fork() == 0:
            name("daemon")
            live()
        os._exit(0)
    os.wait()
    print("left", flush=True)


def hog() -> None:
    taken = []
    while True:
        taken.append(b"\1" * (4 << 20))


ON_USR1 = {
    "double": lambda: leave_a_daemon(True),
    "fleeting": lambda: leave_a_daemon(False),
    "hog": hog,
}
asked: list[int] = []
signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
what = sys.argv[1]
if what == "worker":
    child(worker, "worker")
elif what == "subreaper":
    child(foster, "foster")
print("ready", flush=True)
while True:
    if asked:
        asked.clear()
        ON_USR1[what]()
    signal.sigtimedwait([signal.SIGUSR2], 0.02)
