"""One function per kernel fact. No decisions, no logging; OSError is for the caller.

Law of this file: whatever enters the kernel on behalf of PID 1 is here, and nothing else is.
Imported before main runs, so only what is built into the interpreter: posix and not os, whose
abstract base classes take 1.5 ms of every start. ctypes (4 ms, 0.5 MB) is imported inside the two functions
that have no other way; as PID 1 neither is needed.
"""

from __future__ import annotations

import posix as os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from collections.abc import Iterable

    from initd.model import ProcessId
else:
    import _signal

_proc = "/proc"  # changed by find_proc alone
_AT_ONCE = 64  # signals: a flood of them must not hold up a reap
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_death_signal = 0  # changed by die_with_parent alone
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def encode(text: str) -> bytes:
    """Text from argv or the environment as the bytes it was made of; os.fsencode without os."""
    return text.encode(sys.getfilesystemencoding(), "surrogateescape")


def decode(raw: bytes) -> str:
    """The other way."""
    return raw.decode(sys.getfilesystemencoding(), "surrogateescape")


# --- signals ---------------------------------------------------------------------------------------


def block_signals() -> frozenset[int]:
    """Block every signal that can be; the mask found at entry. sigprocmask(2)."""
    return frozenset(_signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals()))


def ignored_signals() -> frozenset[int]:
    """Signals whose disposition is "ignore" now. KILL and STOP have none to ask for."""
    return frozenset(n for n in _signal.valid_signals() if _signal.getsignal(n) == _signal.SIG_IGN)


def default_signals(numbers: Iterable[int]) -> None:
    """Set dispositions to default; for SIGCHLD this also ends "reap by itself" (SA_NOCLDWAIT)."""
    for number in numbers:
        _signal.signal(number, _signal.SIG_DFL)


def undo_python_signals() -> None:
    """CHLD to default, whatever it was: else the kernel reaps for us. INT too, unless ignored at entry.

    Python has put a handler on INT that raises KeyboardInterrupt.
    """
    default_signals((_signal.SIGCHLD,))
    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
        default_signals((_signal.SIGINT,))


def set_mask(numbers: Iterable[int]) -> None:
    """Block exactly these."""
    _signal.pthread_sigmask(_signal.SIG_SETMASK, numbers)


def unblock(numbers: Iterable[int]) -> None:
    """Let these come through again."""
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, numbers)


def discard(numbers: Iterable[int]) -> None:
    """Take these off the queue of blocked signals, if they are on it; sigtimedwait(2)."""
    while _signal.sigtimedwait(numbers, 0) is not None:
        continue


def open_signalfd() -> int:
    """A descriptor that reads every signal, with its sender; signalfd(2). Raises ImportError, OSError.

    By the C half of ctypes: that in Python would take 4 ms and 0.5 MB more. It keeps the errno to itself.
    """
    import _ctypes

    function = _ctypes.dlsym(_ctypes.dlopen(None, 0), "signalfd")  # type: ignore[arg-type]  # None is the program itself; dlopen(3)
    everything = b"\xff" * 128  # a sigset_t of any C library fits in it
    flags = os.O_NONBLOCK | os.O_CLOEXEC  # SFD_NONBLOCK and SFD_CLOEXEC are these
    fd = int(_ctypes.call_cdeclfunction(function, (-1, everything, flags)))
    if fd < 0:
        raise OSError("refused")
    return fd


def read_signals(fd: int) -> list[tuple[int, int, int]]:
    """All signals waiting in a signalfd as (number, sender's pid, sender's uid)."""
    found = []
    try:
        data = os.read(fd, 128 * _AT_ONCE)
    except BlockingIOError:
        return []
    for start in range(0, len(data), 128):  # struct signalfd_siginfo: 128 bytes, signo errno code pid uid
        words = memoryview(data[start : start + 20]).cast("I")
        found.append((words[0], words[3], words[4]))
    return found


def take_signals() -> list[tuple[int, int, int]]:
    """The same without a signalfd; sigtimedwait(2).

    Never with a timeout: stopped past it and continued, CPython's makes up a signal of what its stack holds.
    """
    found: list[tuple[int, int, int]] = []
    numbers = _signal.valid_signals()
    while len(found) < _AT_ONCE and (info := _signal.sigtimedwait(numbers, 0)) is not None:
        found.append((info.si_signo, info.si_pid, info.si_uid))
    return found


# --- prctl -----------------------------------------------------------------------------------------


def prctl(option: int, value: int) -> None:
    """prctl(2) with one argument. Needs ctypes."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def die_with_parent(number: int = 0) -> None:
    """Get this signal when our parent ends; 0: as before, since a change of user undoes it. prctl(2)."""
    global _death_signal  # noqa: PLW0603  because it is a wish for our whole life
    _death_signal = number or _death_signal
    if _death_signal:
        prctl(_PR_SET_PDEATHSIG, _death_signal)


def is_subreaper() -> bool:
    """Do orphans below us come to us, although we are not PID 1? Needs ctypes; no where that is missing."""
    try:
        import ctypes
    except ImportError:
        return False
    answer = ctypes.c_int()
    libc = ctypes.CDLL(None)
    return libc.prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) == 0 and answer.value == 1


# --- children --------------------------------------------------------------------------------------


def find_proc() -> bool:
    """Does /proc show our PID namespace? After unshare(1) without --mount-proc it shows another's.

    Then it is worse than none, since every pid means somebody else: from here on it is not looked at.
    """
    global _proc  # noqa: PLW0603  because it is a fact of the machine, found once
    try:
        ours = os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        ours = False
    if not ours:
        _proc = "/proc/of-another-namespace"
    return ours


def read_stat(pid: int) -> bytes:
    """/proc/PID/stat; proc_pid_stat(5)."""
    fd = os.open(f"{_proc}/{pid}/stat", os.O_RDONLY)
    try:
        return os.read(fd, 4096)
    finally:
        os.close(fd)


def owner(pid: int) -> int:
    """Its real uid, by /proc/PID/status: the owner of that file may be root for other reasons; proc(5)."""
    with open(f"{_proc}/{pid}/status", "rb", buffering=0) as file:
        return int(file.read(4096).partition(b"\nUid:")[2].split()[0])


def start_time(pid: int) -> int:
    """Field 22 of stat: clock ticks after boot at which the process began."""
    return int(read_stat(pid).rpartition(b") ")[2].split()[19])


def read_children() -> bytes:
    """The pids of our children as the kernel keeps them; needs CONFIG_PROC_CHILDREN. One thread, one file."""
    fd = os.open(f"{_proc}/self/task/{os.getpid()}/children", os.O_RDONLY)
    try:
        parts = []
        while part := os.read(fd, 65_536):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def children() -> frozenset[ProcessId]:
    """Our children, none of which is reaped meanwhile; none where the kernel does not keep them."""
    from initd.model import ProcessId  # for --kill-orphans; else it would cost every start

    try:
        return frozenset(ProcessId(pid, start_time(pid)) for pid in map(int, read_children().split()))
    except OSError:
        return frozenset()


def all_pids() -> list[int]:
    """Every process that /proc shows us."""
    return [int(name) for name in os.listdir(_proc) if name.isdigit()]


def boot_clock() -> float:
    """Seconds since boot, suspend included: the clock that start times are on."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_clock() -> float:
    """Seconds since 1970."""
    return time.time()


def name_self(name: bytes) -> None:
    """What ps shows for us instead of python3; without /proc it stays so."""
    try:
        with open("/proc/self/comm", "wb", buffering=0) as file:
            file.write(name)
    except OSError:
        return
