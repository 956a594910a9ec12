"""heir.py COMMAND…: become COMMAND with two children that it never made: one alive, one already dead."""

import os
import sys

if os.fork() == 0:
    os.execvp("sleep", ["sleep", "100000"])  # noqa: S606  a process of another name is the point
dead = os.fork()
if dead == 0:
    os._exit(3)
os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  to become it is the point
