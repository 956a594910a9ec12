"""zombies.py N: N children that have ended and are never waited for; says ``ready`` and stays.

At USR1 it waits for them all after all and says ``reaped``.
"""

import os
import signal
import sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
dead = []
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        os._exit(0)
    dead.append(child)
for child in dead:
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
os.write(1, b"ready\n")
signal.sigwait([signal.SIGUSR1])
for child in dead:
    os.waitpid(child, 0)
os.write(1, b"reaped\n")
while True:
    signal.pause()
