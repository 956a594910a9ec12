"""many.py N: N children that wait for nothing, of 20 names, and end with their parent. Says ``ready``."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # prctl(2)

libc = ctypes.CDLL(None)
for number in range(int(sys.argv[1])):
    if os.fork() == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(PR_SET_NAME, b"worker-%d" % (number % 20))
        while True:
            signal.pause()
print("ready", flush=True)
while True:
    signal.pause()
