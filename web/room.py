"""How much room is left: memory, CPU, pressure, and the kernel's limits of processes and threads.

Law of this file: read, never write; what is not known is null. What the control group has is cgroup.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web import cgroup
from web.sampler import Snapshot
from web.slurp import reread, slurp

_UNLIMITED = "unlimited"


def room(groups: cgroup.Groups, main: int | None) -> dict[str, Any]:
    """The ``room`` of the API; ``main`` is whose limit of processes counts, or else ours."""
    figures = cgroup.figures(groups)
    soft, hard = limits_of(main or "self", "Max processes")
    return {
        "memory": {
            "current_bytes": figures.get("memory_current_bytes"),
            "max_bytes": figures.get("memory_max_bytes"),
            "oom_kills": figures.get("memory_oom_kills_total"),
        },
        "cpu": {
            "max_cores": figures.get("cpu_max_cores"),
            "throttled_seconds": figures.get("cpu_throttled_seconds_total"),
        },
        "pressure": _pressure(figures),
        "kernel": {
            "pid_max": kernel("pid_max"),
            "threads_max": kernel("threads-max"),
            "threads": _threads(),
        },
        "nproc": {"soft": soft, "hard": hard},
    }


def tasks(snapshot: Snapshot, init: int, groups: cgroup.Groups) -> tuple[int | None, int | None]:
    """Tasks in our control group, and how many it may have.

    The root group is not counted: then what we see is all that there is, unless /proc hides the init from us.
    """
    current, limit = cgroup.pids(groups)
    if current is None and init in snapshot.processes:
        current = sum(row.threads for row in snapshot.processes.values())
    return current, limit


def _pressure(figures: dict[str, float]) -> dict[str, dict[str, float | None]] | None:
    """Null where the kernel has none (before 4.20, version 1 only, or psi=0)."""
    found = {
        resource: {
            "some_seconds": figures.get(f"pressure_{resource}_waiting_seconds_total"),
            "full_seconds": figures.get(f"pressure_{resource}_stalled_seconds_total"),
        }
        for resource in ("cpu", "memory", "io")
    }
    return found if any(name.startswith("pressure_") for name in figures) else None


def limits_of(
    pid: int | str, name: str, read: Callable[[str], bytes] = slurp
) -> tuple[int | None, int | None]:
    """Soft and hard limit; /proc/PID/limits is the one file there that everyone may read."""
    try:
        found = read(f"/proc/{pid}/limits").decode("ascii").partition(f"{name} ")[2]
        soft, hard = found.split(None, 2)[:2]
        return _limit(soft), _limit(hard)
    except (OSError, ValueError):
        return None, None


def _limit(word: str) -> int | None:
    return None if word == _UNLIMITED else int(word)


def kernel(name: str) -> int | None:
    """A number of proc_sys_kernel(5)."""
    try:
        return int(reread(f"/proc/sys/kernel/{name}"))
    except (OSError, ValueError):
        return None


def _threads() -> int | None:
    """All threads of the machine, that threads-max counts: "0.20 0.18 0.12 1/80 11206", proc_loadavg(5)."""
    try:
        return int(reread("/proc/loadavg").split()[3].partition(b"/")[2])
    except (OSError, ValueError, IndexError):
        return None
