"""Metrics of what anyone may read: the processes, the control group, the kernel's limits.

Law of this file: from a view (snapshot and tree) and a few files of /proc to families. What cannot
be read is absent.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from initd.model import PROCESS_STATES
from initd.procfs import Stat
from web import cgroup, tree
from web.house import Highest
from web.metrics_family import Families, counter, gauge, gauges
from web.room import kernel, limits_of
from web.sampler import PAGE, TICKS
from web.slurp import reread
from web.view import View

CGROUP = {
    "pids_current": "Tasks (processes and threads) in our control group.",
    "pids_max": "Tasks that our control group may have; absent while there is no limit.",
    "pids_limit_hits_total": "Forks that failed because the control group's limit was reached.",
    "memory_current_bytes": "Memory used by our control group, in bytes.",
    "memory_max_bytes": "Memory that our control group may use, in bytes; absent while there is no limit.",
    "memory_peak_bytes": "The most memory our control group ever used, in bytes.",
    "memory_limit_hits_total": "Times the memory limit of the control group was run against.",
    "memory_oom_kills_total": "Processes of the control group that the kernel killed for want of memory.",
    "cpu_usage_seconds_total": "CPU time used by our control group, in seconds.",
    "cpu_user_seconds_total": "Of it in user mode, in seconds.",
    "cpu_system_seconds_total": "Of it in the kernel, in seconds.",
    "cpu_max_cores": "CPU cores that our control group may use; absent while there is no limit.",
    "cpu_periods_total": "Enforcement periods of the CPU limit that have passed.",
    "cpu_throttled_periods_total": "Of them those in which the control group was held back.",
    "cpu_throttled_seconds_total": "Time for which the control group was held back, in seconds.",
    "pressure_cpu_waiting_seconds_total": "Time in which some task waited for CPU, in seconds.",
    "pressure_cpu_stalled_seconds_total": "Time in which all tasks waited for CPU, in seconds.",
    "pressure_memory_waiting_seconds_total": "Time in which some task waited for memory, in seconds.",
    "pressure_memory_stalled_seconds_total": "Time in which all tasks waited for memory, in seconds.",
    "pressure_io_waiting_seconds_total": "Time in which some task waited for input or output, in seconds.",
    "pressure_io_stalled_seconds_total": "Time in which all tasks waited for input or output, in seconds.",
}


def processes(view: View) -> Families:
    """Of all processes in our PID namespace."""
    rows = view.snapshot.processes.values()
    states = Counter(tree.state_word(row.state) for row in rows)
    dead = tree.zombies(view.tree)
    blamed = Counter(tree.relation(view.tree, view.tree.parents.get(row.pid)) for row in dead)
    yield from gauges(
        "processes", "Processes, by state.", "state", {word: states[word] for word in PROCESS_STATES.values()}
    )
    yield from gauge("threads", "Threads of all processes.", sum(row.threads for row in rows))
    yield from gauges(
        "zombies",
        "Processes that ended and that their parent has not waited for, by who the parent is.",
        "parent",
        {word: blamed[word] for word in tree.RELATIONS},
    )
    yield from gauge(
        "oldest_zombie_timestamp_seconds",
        "When the oldest zombie was started, in seconds since 1970; the kernel does not tell when it died.",
        min(map(view.snapshot.started, dead), default=None),
    )


def descendants(view: View, cpu: Highest) -> Families:
    """Of main alone, and sums of everything below the init."""
    rows = view.snapshot.processes
    main = rows.get(view.tree.main or 0)
    if main is not None and main.state != "Z":
        yield from counter(
            "main_cpu_seconds_total", "CPU time used by the main process, in seconds.", _cpu(main)
        )
        yield from _sizes("main", "the main process", [main])
    below = [rows[pid] for pid in tree.descendants(view.tree, view.tree.init)]
    yield from gauge("tree_processes", "Processes below the init, web included.", len(below))
    # What a process used passes to its parent when it is waited for. The sum falls all the same where that
    # happens between our looks at the two, or where nobody waits (SIGCHLD ignored); a counter must not.
    above = rows.get(view.tree.init)
    ticks = (above.waited if above else 0) + sum(row.utime + row.stime + row.waited for row in below)
    yield from counter(
        "tree_cpu_seconds_total",
        "CPU time of all processes below the init, and of those that ended and were waited for, in seconds.",
        cpu.of(ticks / TICKS),
    )
    yield from _sizes("tree", "all processes below the init", below)


def _sizes(name: str, whose: str, rows: Iterable[Stat]) -> Families:
    rows = list(rows)
    yield from gauge(
        f"{name}_resident_memory_bytes",
        f"Resident memory of {whose}, in bytes; shared pages count for each.",
        sum(row.rss for row in rows) * PAGE,
    )
    yield from gauge(
        f"{name}_virtual_memory_bytes",
        f"Virtual memory of {whose}, in bytes.",
        sum(row.vsize for row in rows),
    )
    yield from gauge(f"{name}_threads", f"Threads of {whose}.", sum(row.threads for row in rows))


def _cpu(row: Stat) -> float:
    return (row.utime + row.stime) / TICKS


def standard(prefix: str, whose: str, view: View, pid: int, open_fds: int | None) -> Families:
    """The ``process_…`` names that every Prometheus client gives, for one process."""
    row = view.snapshot.processes.get(pid)
    if row is None:
        return
    yield CounterMetricFamily(
        f"{prefix}cpu_seconds_total", f"CPU time used by {whose}, in seconds.", _cpu(row)
    )
    for name, text, value in (
        ("resident_memory_bytes", "Resident memory of {}, in bytes.", row.rss * PAGE),
        ("virtual_memory_bytes", "Virtual memory of {}, in bytes.", row.vsize),
        ("start_time_seconds", "When {} started, in seconds since 1970.", view.snapshot.started(row)),
        ("open_fds", "File descriptors that {} has open.", open_fds),
        ("max_fds", "File descriptors that {} may have open.", limits_of(pid, "Max open files", reread)[0]),
    ):
        if value is not None:
            yield GaugeMetricFamily(prefix + name, text.format(whose), value)


def own_fds() -> int | None:
    """How many descriptors web has open: the size of their directory, since Linux 6.2; proc_pid_fd(5)."""
    try:
        return os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd")) - 1  # the lister's own
    except OSError:
        return None


def machine() -> Families:
    """The control group's figures and the kernel's limits."""
    for name, value in cgroup.figures().items():
        make = counter if name.endswith("_total") else gauge
        yield from make(f"cgroup_{name}", CGROUP[name], value)
    yield from gauge(
        "kernel_pid_max", "PIDs that the kernel gives out before it begins anew.", kernel("pid_max")
    )
    yield from gauge("kernel_threads_max", "Threads that the kernel allows in all.", kernel("threads-max"))
