"""life.py: a main that leaves an orphan, says READY=1 and prints its signals; TERM ends it with 0."""

import os
import signal
import socket
import time

CAUGHT = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)


def say(number: int, _frame: object) -> None:
    os.write(1, f"{int(number)}\n".encode())
    if number == signal.SIGTERM:
        os._exit(0)


if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.2)  # the orphan's whole life
    os._exit(0)
os.wait()
for number in CAUGHT:
    signal.signal(number, say)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
os.write(1, f"{os.getpid()} is ready\n".encode())
while True:
    signal.pause()
