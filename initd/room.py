"""How near fork is to its limits, in the words for a fork that failed; cgroups(7), getrlimit(2).

Law of this file: reading what can be read, at the moment when little else works. It holds no state.
"""

from __future__ import annotations

import resource

_MOUNT = "/sys/fs/cgroup"


def report() -> str:
    """``pids 10 of 10, processes of this user at most 4096``, or nothing where nothing is known."""
    return ", ".join(words for words in (_group(), _user()) if words)


def _group() -> str:
    """Our own control group's count and limit; the mount's root where the path does not exist in here."""
    for directory in _directories():
        current, limit = _read(f"{directory}/pids.current"), _read(f"{directory}/pids.max")
        if current and limit:
            return f"pids {current} of {limit}"
    return ""


def _directories() -> list[str]:
    """Where our pids controller may be: v1 and v2, by path and at the root of the mount."""
    places = []
    for line in _read("/proc/self/cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if "pids" in controllers.split(","):
            places += [f"{_MOUNT}/pids{path}", f"{_MOUNT}/pids"]
        elif not controllers:
            places += [f"{_MOUNT}{path}", _MOUNT]
    return places


def _user() -> str:
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    return "" if soft == resource.RLIM_INFINITY else f"processes of this user at most {soft}"


def _read(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(4096).decode("ascii", "replace").strip()
    except OSError:
        return ""
