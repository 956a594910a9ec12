"""The bench: what every lab forks on, holds, and clears away.

Law of this file: how a lab's processes are made and ended; nothing of any lab's story, nothing of the API.

All of them hang on a leash, a pipe that the lab alone can write to. Who reads from it stays until the lab
lets go, and a lab lets go however it ends, by KILL too: nothing that it made outlives it for long.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from initd.procfs import Stat, parse_stat
from web.ctl.errors import CtlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

TOGETHER = 2.5  # seconds that a parent lives beside its child: initd looks each second, and shall see both
PATIENCE = 10.0  # seconds for what the kernel does in a millisecond, unless the machine is full
GRACE = 2.0  # seconds to go by itself; only somebody who was stopped needs more
GLANCE = 0.1  # seconds between two looks at what lives
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what tells a lab to end


class Bench:
    """What one lab has made. ``held`` is everyone who said so, in that order."""

    def __init__(self) -> None:
        self.held: list[Held] = []
        self._leash, self._hand = os.pipe()
        self._news, self._pen = os.pipe()
        self._heard = b""

    # --- in any process of the lab

    def fork(self, name: str, life: Callable[[], object]) -> int:
        """The pid of a new child, which is called ``name``, lives ``life``, and ends."""
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # a child that they hit here would clear away
        try:
            pid = os.fork()
            if pid == 0:
                self._live(name, life, mask)
            return pid
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def stay(self) -> None:
        """Stay until the lab lets go."""
        os.read(self._leash, 1)

    def _live(self, name: str, life: Callable[[], object], mask: set[int]) -> NoReturn:
        """What the parent had planned is not the child's to do, whatever happens to it."""
        try:
            for number in STOPS:
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the lab, which then lets go
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self._let_go()
            rename(name)
            self._tell(str(os.getpid()))
            life()
        except OSError as error:
            self._tell(str(error))
        finally:
            os._exit(0)

    def _tell(self, line: str) -> None:
        os.write(self._pen, f"{line}\n".encode())  # a line this short is never mixed with another; pipe(7)

    def _let_go(self) -> None:
        """A child that kept the writing end would hold itself, and everyone."""
        if self._hand >= 0:
            os.close(self._hand)
            self._hand = -1

    # --- in the lab itself

    def met(self, count: int) -> list[Held]:
        """The next ``count`` processes, as each says that it lives. Raises CtlError."""
        fresh = [self._next() for _ in range(count)]
        self.held += fresh
        return fresh

    def _next(self) -> Held:
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._heard:
            if not select.select([self._news], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise CtlError("cannot make the lab: a process that it made says nothing; try again")
            self._heard += os.read(self._news, 1 << 16)
        line, _, self._heard = self._heard.partition(b"\n")
        if not line.isdigit():
            raise no_room(line.decode())
        return Held(int(line))

    def wait(self, seconds: float) -> bool:
        """Wait while anyone lives, up to ``seconds``; whether anyone still does."""
        deadline = time.monotonic() + seconds
        while alive := any(held.alive() for held in self.held):
            if time.monotonic() > deadline:
                break
            time.sleep(GLANCE)
        return alive

    def clear(self) -> bool:
        """Let go of all, KILL who does not go by itself, and wait for our own; whether all have ended."""
        self._let_go()
        if self.wait(GRACE):
            for held in self.held:
                held.kill()
        left = self.wait(PATIENCE)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return not left


class Held:
    """A process of the lab. Where there are pidfds, no later process with the same pid can be hit for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._fd = os.pidfd_open(pid)
        except OSError:
            self._fd = -1
        self._born = stat(pid)

    def __str__(self) -> str:
        return str(self.pid)

    def alive(self) -> bool:
        """Whether any thread of it lives: when only the first has ended, the state is a zombie's too."""
        now = stat(self.pid)
        if now is None or self._born is None or now.starttime != self._born.starttime:
            return False
        return now.state not in "ZX" or now.threads > 1

    def kill(self) -> None:
        """KILL it, if it lives."""
        if self.alive():
            with suppress(ProcessLookupError):
                if self._fd >= 0:
                    signal.pidfd_send_signal(self._fd, signal.SIGKILL)
                else:
                    os.kill(self.pid, signal.SIGKILL)


def stat(pid: int) -> Stat | None:
    """What /proc/PID/stat says; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return parse_stat(file.read())
    except (FileNotFoundError, ProcessLookupError):
        return None


def rename(name: str) -> None:
    """Be called ``name``; the kernel keeps 15 bytes of it, proc_pid_comm(5)."""
    with suppress(OSError), open("/proc/self/comm", "w") as file:
        file.write(name)


def adopter(orphan: Held, parent: int) -> str:
    """Who has ``orphan`` once it is not ``parent``'s any more, as text. Raises CtlError."""
    deadline = time.monotonic() + PATIENCE
    while (now := stat(orphan.pid)) and now.ppid == parent:
        if time.monotonic() > deadline:
            raise CtlError(f"cannot orphan {orphan}: its parent {parent} does not end; was it stopped?")
        time.sleep(GLANCE / 10)
    if now is None:
        raise CtlError(f"cannot show who adopted {orphan}: it has ended; was it killed? try again")
    found = stat(now.ppid)
    words = f"{now.ppid} ({found.name if found else 'in another namespace'})"
    return words if now.ppid == 1 else f"{words}, a subreaper that is nearer than PID 1"


def no_room(why: str) -> CtlError:
    """The kernel makes no process."""
    return CtlError(f"cannot make the lab: {why}; say a lower --count, or see initctl status for the limits")
