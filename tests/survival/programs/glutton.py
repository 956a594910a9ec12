"""glutton.py EVENTS WHAT [BYTES]: main that takes memory; says ready, and begins at USR1.

EVENTS is the file in which the kernel counts its kills for memory (oom_kill N).
child    a child does, until somebody was killed, and a little more; it says ``full`` and holds that
         until main gets USR1 again, ends it, and says ``empty``. If the kernel takes it there is another
on       until it is killed itself
edge     BYTES, held, and says ``full``; then a file of as much is written and read without a pause: the
         kernel has to make room all the time
"""

import os
import re
import signal
import sys
from pathlib import Path

MEGABYTE = 1 << 20
LITTLE = 12 * MEGABYTE  # of what the one who was killed has left: the next one does not fit in
events, what = Path(sys.argv[1]), sys.argv[2]


def kills() -> int:
    found = re.search(r"^oom_kill (\d+)", events.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def eat() -> None:
    """Until somebody was killed, and a little more."""
    held, before = [], kills()
    while kills() == before:
        held.append(b"\1" * MEGABYTE)
    held.append(b"\1" * LITTLE)
    os.write(1, b"full\n")
    signal.pause()


def keep_a_child() -> None:
    """One that eats, until USR1."""
    child, told = 0, signal.SIGCHLD
    while told == signal.SIGCHLD:
        if child:
            os.waitpid(child, 0)
        child = os.fork()
        if child == 0:
            eat()
        told = signal.Signals(signal.sigwait([signal.SIGCHLD, signal.SIGUSR1]))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.write(1, b"empty\n")


def eat_on() -> None:
    held = []
    while True:
        held.append(b"\1" * MEGABYTE)


def stay_at_the_edge(size: int) -> None:
    """What is held, and page cache beyond what there is room for."""
    held = [b"\1" * MEGABYTE for _ in range(size // MEGABYTE)]
    os.write(1, b"full\n")
    with open("page-cache", "w+b", buffering=0) as file:
        while held:
            file.seek(0)
            file.writelines(b"\1" * MEGABYTE for _ in held)
            file.seek(0)
            while file.read(MEGABYTE):
                pass


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])
os.write(1, b"ready\n")
signal.sigwait([signal.SIGUSR1])
if what == "child":
    keep_a_child()
elif what == "on":
    eat_on()
else:
    stay_at_the_edge(int(sys.argv[3]))
while True:
    signal.pause()
