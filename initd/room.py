"""How near we are to the limits on processes and memory; cgroups(7), getrlimit(2), proc(5).

Law of this file: reading what can be read, at the moment when little else works. All that is kept is which
file said something, as that is asked each second.
"""

from __future__ import annotations

import errno
import posix as os

_MOUNT = "/sys/fs/cgroup"
_LEAST = 3  # a check may be a script that starts something itself
_NPROC = "Max processes"  # as /proc/self/limits has it; the resource module is a shared object to load
_oom_file = ""  # changed by oom_kills alone
_SMALL = 16  # pids; in so small a house a process that only waits takes too much room


def report(number: int) -> str:
    """``pids 10 of 10, processes of this user at most 4096``, or nothing where nothing is known.

    ``number``: what fork failed with. Of descriptors no file can be read now.
    """
    if number == errno.EMFILE:
        return f"at most {os.sysconf('SC_OPEN_MAX')} open files: raise that limit"
    if number == errno.ENFILE:
        return "all open files of the machine: raise fs.file-max"
    current, limit = _pids()
    words = [f"pids {current} of {limit}"] if current and limit else []
    if most := _user_limit():
        words.append(f"processes of this user at most {most}")
    return ", ".join(words)


def limited() -> bool:
    """Is the number of our processes limited, and not so small that every one counts?"""
    limits = [most for most in (_number(_pids()[1]), _user_limit()) if most > 0]
    return bool(limits) and min(limits) >= _SMALL


def hit(number: int) -> str:
    """Which limit a fork that failed with this errno ran into: one of model.LIMITS; fork(2), EAGAIN."""
    if number == errno.ENOMEM:
        return "memory"
    if number in (errno.EMFILE, errno.ENFILE):
        return "open_files"
    current, limit = _pids()
    if _number(current) >= _number(limit) > 0:
        return "cgroup_pids"
    threads = _number(_read("/proc/loadavg").partition("/")[2].partition(" ")[0])
    for name, path in (("kernel_threads_max", "threads-max"), ("kernel_pid_max", "pid_max")):
        most = _number(_read(f"/proc/sys/kernel/{path}"))
        if threads >= most * 0.98 > 0:
            return name
    return "nproc" if _user_limit() else "unknown"


def short() -> str:
    """Why nothing should be started that need not be: under a twentieth of the pids is left; or nothing."""
    current, limit = _pids()
    most = _number(limit)
    if most <= 0 or most - _number(current) >= max(_LEAST, most // 20):
        return ""
    return f"pids are short ({current} of {limit})"


def oom_kills() -> int | None:
    """How often the kernel killed for memory in our control group; None where it does not say."""
    global _oom_file  # noqa: PLW0603  because the search for it took two thirds of a look
    if _oom_file and (kills := _oom_kills_of(_oom_file)) is not None:
        return kills
    for directory in _directories("memory"):
        for name in ("memory.events", "memory.oom_control"):
            _oom_file = f"{directory}/{name}"
            if (kills := _oom_kills_of(_oom_file)) is not None:
                return kills
    _oom_file = ""
    return None


def _oom_kills_of(file: str) -> int | None:
    for line in _read(file).splitlines():
        key, _, value = line.partition(" ")
        if key == "oom_kill":
            return _number(value)
    return None


def _pids() -> tuple[str, str]:
    """Our own control group's count and limit, as the files have it; empty where there are none."""
    for directory in _directories("pids"):
        current, limit = _read(f"{directory}/pids.current"), _read(f"{directory}/pids.max")
        if current and limit:
            return current, limit
    return "", ""


def _user_limit() -> int:
    """RLIMIT_NPROC, getrlimit(2); 0 where there is none, as for root, whom it does not bind."""
    if os.getuid() == 0:
        return 0
    for line in _read("/proc/self/limits").splitlines():
        if line.startswith(_NPROC):
            return max(0, _number(line.removeprefix(_NPROC).split()[0]))
    return 0


def _directories(controller: str) -> list[str]:
    """Where it may be: v1 and v2, by path, and at the root of the mount where the path is not in here."""
    places = []
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controller in controllers.split(","):
            places += [f"{_MOUNT}/{controller}{path}", f"{_MOUNT}/{controller}"]
        elif not controllers:
            places += [f"{_MOUNT}{path}", _MOUNT]
    return places


def _number(text: str) -> int:
    """A number of a file; -1 for ``max``, and for what is not there."""
    return int(text) if text.isdigit() else -1


def _read(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, 4096).decode("ascii", "replace").strip()
    except OSError:
        return ""
    finally:
        os.close(fd)
