"""deep.py N: a chain of N processes, each its own session and deaf to TERM; then main exits with 3.

Every one is the parent of the next: when one is killed, init gets the next one as a new child.
"""

import os
import signal
import sys

up, tell = os.pipe()
for _ in range(int(sys.argv[1])):
    if os.fork() != 0:
        break
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(tell, b".")
if os.getpid() == os.getsid(0):
    while True:
        signal.pause()
seen = 0
while seen < int(sys.argv[1]):
    seen += len(os.read(up, 100))
os._exit(3)
