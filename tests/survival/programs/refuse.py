"""refuse.py NAME… ERRNO -- COMMAND: become COMMAND, under a seccomp filter that refuses these system calls.

As an engine's profile does, for COMMAND and all that comes of it; seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2  # linux/prctl.h, linux/seccomp.h
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBERS = {  # asm/unistd.h of x86_64 and of aarch64; None: that one has no such call
    "clone3": (435, 435),
    "close_range": (436, 436),
    "epoll_create1": (291, 20),
    "kill": (62, 129),
    "landlock_create_ruleset": (444, 444),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "seccomp": (317, 277),
    "signalfd4": (289, 74),
    "timerfd_create": (283, 85),
    "waitid": (247, 95),
}


def program(calls: list[int], refusal: int) -> bytes:
    """Of each call's number: is it one of these? Then this errno; else nothing happens."""
    steps = [(LOAD, 0, 0, 0)]  # struct seccomp_data begins with the number
    steps += [(IF_EQUAL, len(calls) - index, 0, call) for index, call in enumerate(calls)]
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, ERRNO | refusal)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def install(code: bytes) -> None:
    """For this process and its descendants; it cannot be undone."""
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code, len(code))
    length = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))  # struct sock_fprog
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, length, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot install a seccomp filter")


def main() -> None:
    words, command = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    machine = ("x86_64", "aarch64").index(os.uname().machine)
    calls = [NUMBERS[name][machine] for name in words[:-1]]
    install(program(calls, getattr(errno, words[-1])))
    os.execvp(command[0], command)  # noqa: S606  no shell is wanted


main()
