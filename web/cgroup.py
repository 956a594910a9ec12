"""Our control group: processes, memory, CPU and pressure, from cgroup version 2, 1 or both at once.

Law of this file: read, never write; a figure that the kernel does not have is left out, never guessed.
Sources: cgroups(7), and the kernel's admin-guide cgroup-v1 and cgroup-v2.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from web.slurp import reread

UNIFIED = ""  # the "controller" of version 2 in /proc/PID/cgroup
_NO_LIMIT = 1 << 62  # version 1 says "no limit" as the largest whole number of pages in 63 bits
_LONG = 65_536  # bytes of /proc/PID/cgroup: up to a dozen paths, that engines in engines make long
_TICKS = os.sysconf("SC_CLK_TCK")
_MICRO, _NANO = 1e-6, 1e-9
_PRESSURE = (("some", "waiting"), ("full", "stalled"))


class Groups(NamedTuple):
    """The directory of our group in each version 1 hierarchy, by controller, and in version 2's."""

    v1: dict[str, str]
    v2: str | None


def find(proc: str = "/proc/self") -> Groups:
    """Where our group is. Without /proc or cgroups there is none, and nothing to say."""
    try:
        return _find(proc, reread(f"{proc}/cgroup", _LONG))
    except (OSError, ValueError):
        return Groups({}, None)


@lru_cache(1)
def _find(proc: str, memberships: bytes) -> Groups:
    """We may be moved to another group, but what is mounted where stays. Raises OSError, ValueError."""
    ours = dict(_memberships(_decoded(memberships)))
    with open(f"{proc}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mounts = [_mount(line) for line in file.read().splitlines()]
    v1: dict[str, str] = {}
    v2 = None
    for kind, root, point, options in mounts:
        if kind == "cgroup2" and UNIFIED in ours:
            v2 = _inside(point, root, ours[UNIFIED])
        elif kind == "cgroup":
            names = [name for name in options.split(",") if name in ours]
            v1.update((name, _inside(point, root, ours[name])) for name in names)
    return Groups(v1, v2)


def _mount(line: str) -> tuple[str, str, str, str]:
    """Kind, root, mount point and super options of a line of mountinfo; proc_pid_mountinfo(5)."""
    fields, _, rest = line.partition(" - ")
    root, point = map(_unescape, fields.split(" ")[3:5])
    kind, _, options = rest.split(" ", 2)
    return kind, root, point, options


def _lines(path: str) -> list[str]:
    return _decoded(reread(path))


def _decoded(text: bytes) -> list[str]:
    return text.decode("utf-8", "surrogateescape").splitlines()


def _memberships(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        _, controllers, path = line.split(":", 2)
        yield from ((name, path) for name in controllers.split(","))


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)


def _inside(point: str, root: str, path: str) -> str:
    """The directory under the mount ``point``, which shows the hierarchy from ``root`` down.

    A container without a cgroup namespace has the host's path here but sees only its own part: what
    ``root`` does not lead to, or what is not there, is the mount itself.
    """
    below = path[len(root.rstrip("/")) :] if f"{path}/".startswith(f"{root.rstrip('/')}/") else ""
    directory = point + below.rstrip("/")
    return directory if ".." not in below and os.path.isdir(directory) else point


# --- reading one file ---------------------------------------------------------------------------


def _number(directory: str | None, name: str) -> int | None:
    """A file with one number; None for ``max``, ``-1``, version 1's no limit, and no such file."""
    try:
        value = int(_lines(f"{directory}/{name}")[0]) if directory else -1
    except (OSError, ValueError, IndexError):
        return None
    return value if 0 <= value < _NO_LIMIT else None


def _table(directory: str | None, name: str) -> dict[str, int]:
    """A file of ``key number`` lines; empty where there is none."""
    try:
        words = [line.split() for line in _lines(f"{directory}/{name}")] if directory else []
        return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2}
    except (OSError, ValueError):
        return {}


# --- what there is to say -----------------------------------------------------------------------


def pids(groups: Groups | None = None) -> tuple[int | None, int | None]:
    """How many tasks (processes and threads) our group has, and how many it may have."""
    directory = _home(groups or find(), "pids")
    return _number(directory, "pids.current"), _number(directory, "pids.max")


def _home(groups: Groups, controller: str) -> str | None:
    return groups.v1.get(controller, groups.v2)


def figures(groups: Groups | None = None) -> dict[str, float]:
    """Every figure that there is, by its metric's name without ``initd_cgroup_``."""
    groups = groups or find()
    current, limit = pids(groups)
    hits = _table(_home(groups, "pids"), "pids.events").get("max")
    found: dict[str, float | None] = {
        "pids_current": current,
        "pids_max": limit,
        "pids_limit_hits_total": hits,
    }
    found |= _memory_v1(groups.v1["memory"]) if "memory" in groups.v1 else _memory_v2(groups.v2)
    found |= _cpu_v1(groups.v1) if "cpuacct" in groups.v1 or "cpu" in groups.v1 else _cpu_v2(groups.v2)
    found |= _pressure(groups.v2)
    return {name: value for name, value in found.items() if value is not None}


def _memory_v2(directory: str | None) -> dict[str, float | None]:
    events = _table(directory, "memory.events")
    return {
        "memory_current_bytes": _number(directory, "memory.current"),
        "memory_max_bytes": _number(directory, "memory.max"),
        "memory_peak_bytes": _number(directory, "memory.peak"),
        "memory_limit_hits_total": events.get("max"),
        "memory_oom_kills_total": events.get("oom_kill"),
    }


def _memory_v1(directory: str) -> dict[str, float | None]:
    return {
        "memory_current_bytes": _number(directory, "memory.usage_in_bytes"),
        "memory_max_bytes": _number(directory, "memory.limit_in_bytes"),
        "memory_peak_bytes": _number(directory, "memory.max_usage_in_bytes"),
        "memory_limit_hits_total": _number(directory, "memory.failcnt"),
        "memory_oom_kills_total": _table(directory, "memory.oom_control").get("oom_kill"),
    }


def _cpu_v2(directory: str | None) -> dict[str, float | None]:
    stat = _table(directory, "cpu.stat")
    return {
        "cpu_usage_seconds_total": _scaled(stat.get("usage_usec"), _MICRO),
        "cpu_user_seconds_total": _scaled(stat.get("user_usec"), _MICRO),
        "cpu_system_seconds_total": _scaled(stat.get("system_usec"), _MICRO),
        "cpu_max_cores": _cores(directory),
        **_throttling(stat, "throttled_usec", _MICRO),
    }


def _cpu_v1(v1: dict[str, str]) -> dict[str, float | None]:
    account, cpu = v1.get("cpuacct"), v1.get("cpu")
    split = _table(account, "cpuacct.stat")
    quota, period = _number(cpu, "cpu.cfs_quota_us"), _number(cpu, "cpu.cfs_period_us")
    return {
        "cpu_usage_seconds_total": _scaled(_number(account, "cpuacct.usage"), _NANO),
        "cpu_user_seconds_total": _scaled(split.get("user"), 1 / _TICKS),
        "cpu_system_seconds_total": _scaled(split.get("system"), 1 / _TICKS),
        "cpu_max_cores": quota / period if quota and period else None,
        **_throttling(_table(cpu, "cpu.stat"), "throttled_time", _NANO),
    }


def _throttling(stat: dict[str, int], key: str, unit: float) -> dict[str, float | None]:
    return {
        "cpu_periods_total": stat.get("nr_periods"),
        "cpu_throttled_periods_total": stat.get("nr_throttled"),
        "cpu_throttled_seconds_total": _scaled(stat.get(key), unit),
    }


def _scaled(value: int | None, unit: float) -> float | None:
    return None if value is None else value * unit


def _cores(directory: str | None) -> float | None:
    """cpu.max: ``max 100000``, or the quota and the period in microseconds."""
    try:
        quota, period = map(int, _lines(f"{directory}/cpu.max")[0].split())
    except (OSError, ValueError, IndexError):
        return None
    return quota / period


def _pressure(directory: str | None) -> dict[str, float | None]:
    """Time in which some, or all, tasks waited: ``some avg10=0.00 … total=5930013`` in microseconds."""
    found: dict[str, float | None] = {}
    for resource in ("cpu", "memory", "io"):
        try:
            lines = _lines(f"{directory}/{resource}.pressure") if directory else []
            totals = {line.split()[0]: int(line.rpartition("total=")[2]) for line in lines}
        except (OSError, ValueError, IndexError):
            continue
        for kind, word in _PRESSURE:
            found[f"pressure_{resource}_{word}_seconds_total"] = _scaled(totals.get(kind), _MICRO)
    return found
