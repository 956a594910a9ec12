"""crowd.py N [CODE]: N double-forked orphans that live until this process gets USR1, then all exit at once.

Says ``ready`` when all N have been orphaned, ``gone`` when it has let them go, and stays.
"""

import os
import signal
import sys

COUNT = int(sys.argv[1])
CODE = int(sys.argv[2]) if len(sys.argv) > 2 else 0
gate, hold = os.pipe()


def orphan() -> None:
    if os.fork() == 0:
        os.close(hold)
        os.read(gate, 1)  # ends when the last writer, our main, lets go
        os._exit(CODE)


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
middle = os.fork()
if middle == 0:
    for _ in range(COUNT):
        orphan()
    os._exit(0)
os.waitpid(middle, 0)
os.write(1, b"ready\n")
signal.sigwait([signal.SIGUSR1])
os.close(hold)
os.write(1, b"gone\n")
while True:
    signal.pause()
