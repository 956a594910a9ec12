"""outer.py FILE COMMAND…: a plain PID 1 around an initd that is not PID 1.

Runs the command with nothing changed, then writes the names of the processes it left to FILE and
exits with its code. A real init would adopt those: here they are what initd has failed to end.
"""

import contextlib
import os
import signal
import sys
import time


def left_over() -> list[str]:
    """What is left after half a second at most: what is just about to end does not count."""
    for _ in range(50):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not others():
            break
        time.sleep(0.01)
    return others()


def others() -> list[str]:
    names = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) != os.getpid():
            try:
                with open(f"/proc/{pid}/comm") as comm:
                    names.append(comm.read().strip())
            except (FileNotFoundError, ProcessLookupError):
                continue
    return names


def main(report: str, command: list[str]) -> int:
    pid = os.posix_spawnp(command[0], command, os.environ, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
    status = os.waitpid(pid, 0)[1]
    with open(report, "w") as file:
        file.write("\n".join(left_over()))
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


sys.exit(main(sys.argv[1], sys.argv[2:]))
