"""What web never does once it serves, refused by the kernel from then on; seccomp(2).

Law of this file: tables and the filter that is made of them, in classic BPF. It is a list of what is refused,
not of what is allowed: which harmless calls a libc makes changes with its versions, what an intruder needs
does not. What is refused fails with EPERM and kills nobody.

No library does this for us: python3-seccomp and pyseccomp need libseccomp.so in the image, and the wheels
there are of it are young or of one version only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from web.syscalls import syscall

# Name, number on x86_64 and on aarch64 (asm/unistd_64.h, asm-generic/unistd.h), or - where it has none.
REFUSED = """
execve 59 221, execveat 322 281, clone 56 220, fork 57 -, vfork 58 -
kill 62 129, tkill 200 130, tgkill 234 131, rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kcmp 312 272
creat 85 -, truncate 76 45, ftruncate 77 46, fallocate 285 47, open_by_handle_at 304 265
unlink 87 -, unlinkat 263 35, rmdir 84 -, rename 82 -, renameat 264 38, renameat2 316 276
mkdir 83 -, mkdirat 258 34, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36
mknod 133 -, mknodat 259 33
chmod 90 -, fchmod 91 52, fchmodat 268 53, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, unshare 272 97, setns 308 268
swapon 167 224, swapoff 168 225, quotactl 179 60, acct 163 89
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, memfd_create 319 279, fanotify_init 300 262
init_module 175 105, finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294
reboot 169 142, iopl 172 -, ioperm 173 -, modify_ldt 154 -, syslog 103 116, personality 135 92, vhangup 153 58
add_key 248 217, request_key 249 218, keyctl 250 219, prctl 157 167, capset 126 91
setuid 105 146, setgid 106 144, setreuid 113 145, setregid 114 143, setresuid 117 147, setresgid 119 149
setfsuid 122 151, setfsgid 123 152, setgroups 116 159, setpgid 109 154, setsid 112 157, setrlimit 160 164
setpriority 141 140, ioprio_set 251 30, sched_setparam 142 118, sched_setscheduler 144 119
sched_setattr 314 274
sched_setaffinity 203 122, migrate_pages 256 238, move_pages 279 239
settimeofday 164 170, clock_settime 227 112, clock_adjtime 305 266, adjtimex 159 171
sethostname 170 161, setdomainname 171 162, bind 49 200, mq_open 240 180, mq_unlink 241 181
shmget 29 194, shmat 30 196, shmctl 31 195, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187
semget 64 190, semop 65 193, semctl 66 191, semtimedop 220 192
shutdown 48 210, socketpair 53 199, dup 32 23, dup2 33 -, dup3 292 24
pwrite64 18 68, pwritev 296 70, pwritev2 328 287, copy_file_range 326 285
splice 275 76, tee 276 77, vmsplice 278 75
"""
# From this number on both have the same, and they are young: what is not known here is not needed here.
YOUNG = 424
KNOWN = {"pidfd_open": 434, "close_range": 436, "faccessat2": 439, "epoll_pwait2": 441}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | (os.O_TMPFILE & ~os.O_DIRECTORY)
# The log is the init's and main's too, with its O_NONBLOCK and its place in the file. Nothing gives it or a
# listener another number (dup, F_DUPFD; a pair by which to send it to oneself): the number tells which it is.
_STANDARD = (0, 1, 2)
# F_GETFD, F_SETFD, F_GETFL: not F_SETOWN, a signal of choice to a process of choice.
_FCNTLS = (1, 2, 3)
# FIONBIO, FIOCLEX, FIONCLEX, FIONREAD, TCGETS: not TIOCSTI, which types into the terminal.
_IOCTLS = (0x5421, 0x5451, 0x5450, 0x541B, 0x5401)
# What is set on a listener stays for every later web: IP_MINTTL lets nobody in. asyncio sets this one alone.
_OPTIONS = ((socket.IPPROTO_TCP,), (socket.TCP_NODELAY,))
_MOST = 100  # listeners that are told apart by number: a jump goes no further than 255

_SECCOMP_SET_MODE_FILTER = 1
_TSYNC, _SPEC_ALLOW = 1, 4  # all threads; and no slower branches, which are for those who run others' code
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; both machines are little-endian
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


class Machine(NamedTuple):
    """One architecture: its column above, how the kernel calls it, and what is looked at more closely."""

    column: int
    arch: int  # AUDIT_ARCH_…
    seccomp: int
    open: int | None
    openat: int
    socket: int
    connect: int
    ioctl: int
    fcntl: int
    prlimit64: int
    setsockopt: int
    lseek: int


MACHINES = {
    "x86_64": Machine(1, 0xC000003E, 317, 2, 257, 41, 42, 16, 72, 302, 54, 8),
    "aarch64": Machine(2, 0xC00000B7, 277, None, 56, 198, 203, 29, 25, 261, 208, 62),
}


def numbers(machine: Machine) -> dict[str, int]:
    """What is refused whatever its arguments are, by name."""
    rows = [entry.split() for line in REFUSED.split("\n") for entry in line.split(",") if entry]
    return {row[0]: int(row[machine.column]) for row in rows if row[machine.column] != "-"}


def program(machine: Machine, connects: bool, listeners: tuple[int, ...] = ()) -> list[Instruction]:
    """The filter. Without ``connects`` there is no new socket. With it no listener is connected, or it would
    be none for any later web.
    """
    refused = list(numbers(machine).values())
    if not connects:
        refused += machine.socket, machine.connect
    return [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, machine.arch),
        _fail(errno.EPERM),  # 32-bit calls, which have other numbers
        (_LOAD, 0, 0, _NUMBER),
        *_young(),
        *(one for number in refused for one in ((_EQUAL, 0, 1, number), _fail(errno.EPERM))),
        *_looked_at(machine),
        *_when(machine.connect, _none_of(0, listeners[:_MOST])),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _fail(number: int) -> Instruction:
    return _RETURN, 0, 0, _ERRNO | number


def _young() -> Iterator[Instruction]:
    """As an older kernel would answer; x32's numbers are above, too."""
    yield _AT_LEAST, 0, 2 * len(KNOWN) + 1, YOUNG
    for number in KNOWN.values():
        yield _EQUAL, 0, 1, number
        yield _RETURN, 0, 0, _ALLOW
    yield _fail(errno.ENOSYS)


def _looked_at(machine: Machine) -> Iterator[Instruction]:
    """Calls that are refused by an argument."""
    if machine.open is not None:
        yield from _when(machine.open, _no_bit(1, _WRITES))
    yield from _when(machine.openat, _no_bit(2, _WRITES))
    yield from _when(machine.fcntl, [*_none_of(0, _STANDARD), *_one_of(1, _FCNTLS)])
    yield from _when(machine.ioctl, [*_none_of(0, _STANDARD), *_one_of(1, _IOCTLS)])
    yield from _when(machine.lseek, _none_of(0, _STANDARD))
    yield from _when(machine.setsockopt, [*_one_of(1, _OPTIONS[0]), *_one_of(2, _OPTIONS[1])])
    kind = [_argument(1), (_AND, 0, 0, 0xF), (_EQUAL, 1, 0, socket.SOCK_STREAM), _fail(errno.EPERM)]
    yield from _when(machine.socket, [*_one_of(0, (socket.AF_INET, socket.AF_INET6)), *kind])
    yield from _when(machine.prlimit64, [*_no_bit(2, 0xFFFFFFFF), *_no_bit(2, 0xFFFFFFFF, half=4)])


def _when(number: int, test: list[Instruction]) -> Iterator[Instruction]:
    """``test`` fails, or falls through to the end, where the call is allowed."""
    yield _EQUAL, 0, len(test) + 1, number
    yield from test
    yield _RETURN, 0, 0, _ALLOW


def _argument(index: int, half: int = 0) -> Instruction:
    return _LOAD, 0, 0, _ARGUMENTS + 8 * index + half


def _no_bit(index: int, mask: int, half: int = 0) -> list[Instruction]:
    return [_argument(index, half), (_ANY_BIT, 0, 1, mask), _fail(errno.EPERM)]


def _none_of(index: int, values: tuple[int, ...]) -> list[Instruction]:
    tests = [one for value in values for one in ((_EQUAL, 0, 1, value), _fail(errno.EPERM))]
    return [_argument(index), *tests]


def _one_of(index: int, values: tuple[int, ...]) -> list[Instruction]:
    tests = [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, _fail(errno.EPERM)]


def seal(connects: bool, listeners: tuple[int, ...] = ()) -> None:
    """Put the filter over all threads of this process, for good. Raises OSError where that is refused."""
    machine = MACHINES.get(os.uname().machine)
    if machine is None or sys.maxsize < 2**32:  # a 32-bit Python has numbers of its own on the same machine
        raise OSError(errno.ENOSYS, f"not written for {os.uname().machine}")
    instructions = program(machine, connects, listeners)
    code = b"".join(struct.pack("=HBBI", *one) for one in instructions)
    held = ctypes.create_string_buffer(code)
    fprog = struct.pack("@HP", len(instructions), ctypes.addressof(held))
    if thread := syscall(machine.seccomp, _SECCOMP_SET_MODE_FILTER, _TSYNC | _SPEC_ALLOW, fprog):
        raise OSError(errno.EBUSY, f"thread {thread} has a filter of its own")
