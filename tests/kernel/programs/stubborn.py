"""stubborn.py FILE [CHILD]: ignore TERM, or with FILE write there that it came and end.

Says ``ready``. ``orphan`` as CHILD makes the stubborn one a double-forked orphan of a main that says
``main PID`` and exits with 5 at USR1; ``child`` leaves it in main's group, and main is stubborn too.
"""

import os
import signal
import sys

FILE, ROLE = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""


def told(_number: int, _frame: object) -> None:
    with open(FILE, "w") as mark:
        mark.write("TERM")
    os._exit(0)


def stay() -> None:
    """Never returns: this is the stubborn process itself."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN if FILE == "-" else told)
    os.write(1, b"stubborn\n")
    while True:
        signal.pause()


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
if ROLE == "orphan":
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            os.setsid()
            stay()
        os._exit(0)
    os.waitpid(middle, 0)
    os.write(1, f"main {os.getpid()}\nready\n".encode())
    signal.sigwait([signal.SIGUSR1])
    os._exit(5)
if ROLE == "child" and os.fork() == 0:
    stay()
os.write(1, b"ready\n")
stay()
