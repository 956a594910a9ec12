"""Fork, make the child's world, exec; and the errno of what failed comes back. execve(2), fork(2).

Law of this file: the one way in which PID 1 makes a process. What a child's world is stands in
plans.py. Imported before main runs.
"""

from __future__ import annotations

import errno
import fcntl
import posix as os
import select

from initd import syscalls
from initd.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_PATIENCE_MS = 5_000  # an exec on a dead network disk must not hold PID 1 for ever


class SpawnError(Exception):
    """A command could not be started: ``stage`` is fork, exec, or what was being set up."""

    def __init__(self, stage: str, number: int, pid: int = 0) -> None:
        super().__init__(f"{stage}: {os.strerror(number)}")
        self.stage, self.errno, self.pid = stage, number, pid  # the pid that the command would have had

    @property
    def forking(self) -> bool:
        """No process could be made: that may pass."""
        return self.stage in ("fork", "pipe") or self.crowded

    @property
    def crowded(self) -> bool:
        """The user that the child became has as many processes as it may: execve(2), EAGAIN."""
        return self.stage == "exec" and self.errno == errno.EAGAIN

    @property
    def missing(self) -> bool:
        """There is nothing to run."""
        return self.stage == "exec" and self.errno == errno.ENOENT

    @property
    def code(self) -> int:
        """What to leave with, as docker does: not found, not executable, or our own set-up failed."""
        if self.stage != "exec":
            return 125
        return 127 if self.missing else 126


@record
class Plan:
    """What to run and how its world is made: named steps, taken in the child between fork and exec."""

    argv: tuple[bytes, ...]
    environ: dict[bytes, bytes]
    steps: tuple[tuple[str, Callable[[], None]], ...]


def spawn(plan: Plan) -> int:
    """Fork, take the plan's steps in the child, exec; the child's pid. Raises SpawnError.

    Alternatives: posix_spawn is quicker but can do neither tcsetpgrp, chdir nor users; subprocess
    imports threads and waits by itself. A plain fork is safe because the core has one thread.
    The errno comes back through a pipe that a successful exec closes.
    """
    try:
        reader, writer = _report_pipe()
    except OSError as error:
        raise SpawnError("pipe", errno.EMFILE if error.errno == errno.EINVAL else error.errno or 0) from None
    try:
        pid = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        raise SpawnError("fork", error.errno or 0) from None
    if pid == 0:
        _in_child(plan, writer)
    os.close(writer)
    waiter = select.poll()
    waiter.register(reader, select.POLLIN | select.POLLHUP)
    report = os.read(reader, 100) if waiter.poll(_PATIENCE_MS) else b""
    os.close(reader)
    if report:
        os.waitpid(pid, 0)
        stage, _, number = report.decode().rpartition(" ")
        raise SpawnError(stage, int(number), pid)
    return pid


def _report_pipe() -> tuple[int, int]:
    """A pipe whose writing end lies above the descriptors that a child's steps may dup2 onto.

    Raises OSError, EINVAL where the limit does not go that far.
    """
    reader, writer = os.pipe()
    try:
        return reader, fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 10)
    except OSError:
        os.close(reader)
        raise
    finally:
        os.close(writer)


def _in_child(plan: Plan, writer: int) -> NoReturn:
    """Never returns: this is the child between fork and exec."""
    stage = "set-up"
    code = 127
    try:
        for step in plan.steps:
            stage = step[0]
            step[1]()
        stage = "exec"
        execute(plan)
    except OSError as error:
        code = 127 if error.errno == errno.ENOENT else 126
        os.write(writer, f"{stage} {error.errno}".encode())
    except Exception:  # noqa: BLE001  because whatever it is, the parent must learn that no command runs here
        code = 126
        os.write(writer, f"{stage} {errno.EINVAL}".encode())
    finally:
        os._exit(code)


def execute(plan: Plan) -> None:
    """execvp(3) by hand, because Python's lacks the /bin/sh fallback for scripts without a shebang."""
    name, argv, environ = plan.argv[0], plan.argv, plan.environ
    if not name:
        raise FileNotFoundError(errno.ENOENT, "no name")
    if b"/" in name:
        _exec_file(name, argv, environ)
    denied: OSError | None = None
    for directory in environ.get(b"PATH", b"/bin:/usr/bin").split(b":"):
        try:
            _exec_file((directory or b".") + b"/" + name, argv, environ)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            denied = error
    raise denied or FileNotFoundError(errno.ENOENT, "not found")


def _exec_file(path: bytes, argv: tuple[bytes, ...], environ: dict[bytes, bytes]) -> None:
    try:
        os.execve(path, argv, environ)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        os.execve(b"/bin/sh", (b"/bin/sh", path, *argv[1:]), environ)


def terminal_is_ours() -> bool:
    """Is stdin a terminal whose foreground group is ours, so that it is ours to hand over?"""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:  # no terminal (ENOTTY), closed (EBADF), or gone (ENXIO)
        return False


def take_terminal() -> None:
    """Make our own group the terminal's foreground group; SIGTTOU is blocked, so it cannot stop us."""
    try:
        os.tcsetpgrp(0, os.getpgrp())
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EBADF, errno.ENXIO, errno.EPERM):
            raise


def leave_terminal() -> None:
    """Give up our controlling terminal, so that main's session can have it; TIOCNOTTY, ioctl_tty(2).

    When the leader of a session leaves, the kernel sends HUP and CONT to the foreground group, and
    so to us; those two are not meant for main.
    """
    import termios

    from initd import signals

    try:
        fcntl.ioctl(0, termios.TIOCNOTTY)
    except OSError:  # no terminal, or none that controls us
        return
    if os.getsid(0) == os.getpid():
        syscalls.discard((signals.NUMBERS["HUP"], signals.NUMBERS["CONT"]))


def attach_terminal() -> None:
    """In a new session: make the terminal on stdin ours, if it is one and free; TIOCSCTTY."""
    import termios

    try:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    except OSError:  # no terminal, or another session's
        return
