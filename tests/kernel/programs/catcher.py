"""catcher.py [FATAL]: say ``ready``, then the number of each signal received, one a line.

The signal FATAL ends it with exit code 0; without it only KILL does. CHLD is not caught.
"""

import os
import signal
import sys

FATAL = int(sys.argv[1]) if len(sys.argv) > 1 else 0
LEFT_ALONE = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}


def say(number: int, _frame: object) -> None:
    os.write(1, f"{int(number)}\n".encode())
    if number == FATAL:
        os._exit(0)


for number in signal.valid_signals() - LEFT_ALONE:
    signal.signal(number, say)
os.write(1, b"ready\n")
while True:
    signal.pause()
