"""world.py [ARG…]: print the world that a process finds itself in, as one line of JSON.

Signal sets are not here: Python's own start changes them; ``cat /proc/self/status`` shows those.
"""

import json
import os
import sys


def descriptors() -> dict[str, str]:
    listed = [number for number in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{number}")]
    return {number: os.readlink(f"/proc/self/fd/{number}") for number in listed}


def environment() -> dict[str, str]:
    """As execve(2) was given it: Python itself may add LC_CTYPE to os.environ."""
    with open("/proc/self/environ", encoding="utf-8", errors="surrogateescape") as file:
        return dict(pair.split("=", 1) for pair in file.read().split("\0") if pair)


mask = os.umask(0)
print(
    json.dumps(
        {
            "argv": sys.argv[1:],
            "cwd": os.getcwd(),
            "env": environment(),
            "fds": descriptors(),
            "groups": os.getgroups(),
            "nice": os.nice(0),
            "pgrp": os.getpgrp(),
            "pid": os.getpid(),
            "ppid": os.getppid(),
            "sid": os.getsid(0),
            "uid": os.getuid(),
            "gid": os.getgid(),
            "umask": mask,
        }
    ),
    flush=True,
)
