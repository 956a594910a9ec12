"""steady.py: says "up PID", and ends at TERM, after up to a quarter of a second, saying "down PID".

It is to be started with TERM blocked.
"""

import os
import random
import signal
import time


def say(text: str) -> None:
    os.write(1, f"{text} {os.getpid()}\n".encode())


say("up")
signal.sigwait({signal.SIGTERM})
time.sleep(random.random() / 4)  # noqa: S311  so that faults of web meet a main that is on its way
say("down")
