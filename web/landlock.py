"""What web may read, and that it changes nothing; landlock(7), Linux 5.13 and later.

Law of this file: one rule set, put on the thread that calls, and on all that it starts later. A right that
this kernel cannot take away stays.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterable, Iterator

from web.syscalls import syscall

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same everywhere
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# linux/landlock.h: rights to files, by the version of the interface that first knew so many of them.
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
_BIND = 1  # LANDLOCK_ACCESS_NET_BIND_TCP; connections are seccomp's affair, which knows whether there are any
_SCOPES = 3  # abstract unix sockets and signals: none to processes outside
# Its own code, libc's and OpenSSL's late loads, the names of users; never a directory of the application's.
_SYSTEM = (
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/ssl/openssl.cnf",
)


def confine(readable: Iterable[str]) -> None:
    """From now on: read beneath these, the system's libraries and our own code; write, make, run nothing.

    Who is confined is not shown program, directory or descriptors of those who are not, whoever's they are.
    Raises OSError where the kernel has no Landlock.
    """
    version = syscall(_CREATE, None, 0, _VERSION)
    files = max(bits for since, bits in _FILES.items() if since <= version)
    rights = struct.pack(
        "=QQQ", (1 << files) - 1, _BIND if version >= 4 else 0, _SCOPES if version >= 6 else 0
    )
    rules = syscall(_CREATE, rights, len(rights), 0)
    try:
        for path in dict.fromkeys([*readable, *_SYSTEM, *_own_code()]):
            _allow(rules, path)
        syscall(_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _own_code() -> Iterator[str]:
    """Where Python looks for what is imported late, at an error."""
    return (path for path in sys.path if path not in ("", "/"))


def _allow(rules: int, path: str) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it is not there, or not for our user
    try:
        rights = _READ_FILE | _READ_DIR if os.path.isdir(path) else _READ_FILE
        syscall(_ADD, rules, _PATH_BENEATH, struct.pack("=Qi", rights, there), 0)
    finally:
        os.close(there)
