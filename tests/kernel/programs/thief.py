"""thief.py WHEN MARK: the first run leaves a daemon that takes its pid once it is free, and exits 3.

The daemon waits until the first run's pid is free (WHEN ``free``) or until the file MARK.go appears
(WHEN ``told``); then it makes an orphan with exactly that pid that exits 7. Later runs just stay.
"""

import os
import signal
import sys
import time

WHEN, MARK = sys.argv[1:]
OLD = os.getpid()


def is_free(pid: int) -> bool:
    return not os.path.exists(f"/proc/{pid}")


def take(pid: int) -> None:
    """Fork until the kernel gives out ``pid``: another fork beside us may take a number first."""
    while True:
        with open("/proc/sys/kernel/ns_last_pid", "w") as last:
            last.write(str(pid - 1))
        child = os.fork()
        if child == 0:
            os._exit(7 if os.getpid() == pid else 9)
        if child == pid:
            os._exit(0)  # now it is an orphan
        os.waitpid(child, 0)


def steal() -> None:
    while not is_free(OLD) or (WHEN == "told" and not os.path.exists(f"{MARK}.go")):
        time.sleep(0.001)
    middle = os.fork()
    if middle == 0:
        take(OLD)
    os.waitpid(middle, 0)
    os.write(1, b"stolen\n")


if not os.path.exists(MARK):
    open(MARK, "w").close()
    if os.fork() == 0:
        os.setsid()
        steal()
        os._exit(0)
    os._exit(3)
os.write(1, b"ready\n")
while True:
    signal.pause()
