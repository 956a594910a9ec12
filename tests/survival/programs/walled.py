"""Stands where web stands when it serves, behind the same walls, and tries what an intruder would try.

``walled.py USER CONNECTS FORBIDDEN OPEN TARGET``: USER as of --http-user, CONNECTS yes or no, a file that
only root reads, a directory where everybody may write, and a pid to attack. It prints what came of each
attempt (``done``, or the error's name), what the kernel says of us, and the CPU time that the walls took.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from initd.procfs import parse_stat
from tests.web.fake_core import hello
from web import privileges, sandbox
from web.house import Config
from web.syscalls import syscall

USER, CONNECTS, FORBIDDEN, OPEN, TARGET = sys.argv[1:]
PID = int(TARGET)
THERE = Path(OPEN, "there")
ARM = os.uname().machine == "aarch64"


def raw(x86_64: int, aarch64: int, *arguments: int | bytes | None) -> Callable[[], object]:
    """A system call that Python has no function for."""
    return lambda: syscall(aarch64 if ARM else x86_64, *arguments)


def thread() -> None:
    try:
        threading.Thread(target=int).start()
    except RuntimeError as error:
        raise PermissionError(errno.EPERM, str(error)) from None


def owned() -> None:
    """The kernel sends a signal for us: F_SETOWN, with O_ASYNC."""
    with Path("/proc/self/stat").open() as file:
        fcntl.fcntl(file, fcntl.F_SETOWN, PID)


def connect(family: int, kind: int, address: object) -> Callable[[], object]:
    def attempt() -> None:
        with socket.socket(family, kind) as sock:
            sock.settimeout(1)
            sock.connect(address)  # type: ignore[arg-type]  # as the family has it

    return attempt


INTRUDERS: dict[str, Callable[[], object]] = {
    "run a command": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606  no shell is the point
    "start a command": lambda: subprocess.run(["/bin/true"], check=True),
    "spawn a command": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "fork": lambda: os.fork() or os._exit(0),
    "start a thread": thread,
    "signal another": lambda: os.kill(PID, signal.SIGCONT),
    "signal another by pidfd": lambda: signal.pidfd_send_signal(os.pidfd_open(PID), signal.SIGCONT),
    "signal another by a descriptor": owned,
    "trace another": raw(101, 117, 16, PID, None, None),
    "read another's memory": raw(310, 270, PID, None, 0, None, 0, 0),
    "steal a descriptor": lambda: syscall(438, os.pidfd_open(PID), 0, 0),
    "limit another": lambda: resource.prlimit(PID, resource.RLIMIT_CPU, (1, 1)),
    "slow another down": lambda: os.setpriority(os.PRIO_PROCESS, PID, 19),
    "make a file": lambda: Path(OPEN, "new").touch(),
    "make a file without a name": lambda: os.open(OPEN, os.O_TMPFILE | os.O_WRONLY),
    "write to a file": lambda: os.open(THERE, os.O_WRONLY),
    "write to a file by a new call": raw(
        437, 437, -100, bytes(THERE) + b"\0", (1).to_bytes(24, "little"), 24
    ),
    "empty a file": lambda: os.truncate(THERE, 0),
    "remove a file": THERE.unlink,
    "rename a file": lambda: THERE.rename(Path(OPEN, "moved")),
    "open a file to all": lambda: THERE.chmod(0o777),
    "link to a file": lambda: Path(OPEN, "link").symlink_to("/etc/passwd"),
    "make a directory": lambda: Path(OPEN, "directory").mkdir(),
    "make a file in memory": lambda: os.memfd_create("x"),
    "read root's file": lambda: Path(FORBIDDEN).read_bytes(),
    "read the application's file": THERE.read_bytes,
    "connect by TCP": connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 1)),
    "send by UDP": connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 1)),
    "connect to a unix socket": connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0nobody"),
    "speak netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "capture packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0),
    "become root": lambda: os.setresuid(0, 0, 0),
    "mount": raw(165, 40, b"none\0", OPEN.encode() + b"\0", b"tmpfs\0", 0, None),
    "leave for a namespace": raw(272, 97, 0x10000000),
    "load a program into the kernel": raw(321, 280, 0, None, 0),
    "queue system calls": raw(425, 425, 1, bytes(120)),
    "make a key": raw(250, 219, 0, -3, 0),
    "be dumped": raw(157, 167, 4, 1, 0, 0, 0),
    "call as x32 does": raw(0x40000027, 500),
}
WORK: dict[str, Callable[[], object]] = {
    "list the processes": lambda: [parse_stat(Path(f"/proc/{pid}/stat").read_bytes()) for pid in (1, PID)],
    "ask psutil": lambda: psutil.Process(PID).as_dict(
        ["username", "cmdline", "memory_info", "nice", "status"]
    ),
    "see itself": lambda: psutil.Process().as_dict(
        ["exe", "cwd", "num_fds", "memory_full_info", "open_files"]
    ),
    "watch another": lambda: os.pidfd_open(PID),
    "read the control group": lambda: Path("/sys/fs/cgroup").iterdir().__next__(),
    "import late": lambda: __import__("xml.dom.minidom"),
    "prepare TLS": lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    "draw lots": lambda: os.urandom(8),
    "know its limits": lambda: (os.sysconf("SC_OPEN_MAX"), resource.getrlimit(resource.RLIMIT_NOFILE)),
    "exit": lambda: None,
}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def main() -> None:
    config = Config.of(hello(http_user=USER, connects=CONNECTS == "yes"))
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    began = time.process_time()
    privileges.drop(config.http_user)
    sandbox.raise_walls(config)
    ending = threading.Event()
    sampler = threading.Thread(target=ending.wait, daemon=True)
    sampler.start()
    sandbox.close_door(config)
    seconds = time.process_time() - began
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    tried = {name: outcome(attempt) for name, attempt in {**INTRUDERS, **WORK}.items()}
    print(json.dumps({"tried": tried, "status": status, "seconds": seconds}), flush=True)
    ending.set()


main()
