"""Processes named as an attacker would name them; for each a living one, a zombie, and an orphan of one.

``hostile.py [ARGUMENT…]``: the arguments are hostile too. HUP: the parents of the orphans end.
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

NAMES = [  # at most 15 bytes each
    b"<script>own()//",
    b"</textarea><b>",
    b'"><img src=x>',
    b"'`${own()}",
    b"a\r\nX-Owned: 1",
    b"b\n\nid: 9\ndata:",
    b'c"} 1\nowned 1',
    b"\x1b[2J\x1b]0;owned\x07",
    b"\xe2\x80\xaegpj.exe",
    b"\xff\xfe\xc3(",
    b"\xc3\xa9" * 7 + b"\xc3",  # cut in the middle of a character
    b") R 1 (x",
    b"%s%n{0}\\u0000",
    b"\xe2\x80\xa8\xc2\x85\xc2\xa0",
    b"../../etc/passwd",
]
ARGUMENT = "\"><script>own()</script></textarea>\r\nX-Owned: 1\r\n\r\n\x1b[31m\u202e'--password=hunter2'"


def called(name: bytes) -> None:
    Path("/proc/self/comm").write_bytes(name)


def fork() -> bool:
    """Whether we are the child, which ends with its parent."""
    if os.fork():
        return False
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    return True


def wait() -> None:
    while True:
        signal.pause()


def living(name: bytes) -> None:
    if fork():
        code = f"import signal; open('/proc/self/comm', 'wb').write({name!r}); signal.pause()"
        os.execv("/proc/self/exe", ["python3", "-I", "-S", "-c", code, ARGUMENT])  # noqa: S606  no shell


def zombie(name: bytes) -> None:
    if fork():
        called(name)
        os._exit(0)


def family(name: bytes) -> int:
    """A parent that ends with HUP, and its child, which does not."""
    pid = os.fork()
    if pid == 0:
        called(name)
        if os.fork() == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            called(name)
        else:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        wait()
    return pid


def main() -> None:
    signal.signal(signal.SIGHUP, lambda *_: None)
    parents = []
    for name in NAMES:
        living(name)
        zombie(name)
        parents.append(family(name))
    print("ready", flush=True)
    signal.pause()
    for pid in parents:
        os.kill(pid, signal.SIGHUP)
        os.waitpid(pid, 0)
    wait()


if __name__ == "__main__":
    main()
