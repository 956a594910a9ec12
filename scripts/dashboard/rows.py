"""The rows of the dashboard. Each is a question, and each panel in it a part of the answer.

Law of this file: every panel's text says what to do about what it shows, to someone who has never heard of
initd. The first four questions stand in the order in which they are asked at three in the morning.
"""

from __future__ import annotations

from collections.abc import Callable

from grafana_foundation_sdk.builders import stat, statetimeline, timeseries

from scripts.dashboard.kit import (
    GREEN,
    ORANGE,
    RED,
    Query,
    bars,
    dashed,
    increase,
    layers,
    lines,
    metric,
    number,
    rate,
    steps,
    timeline,
    words,
)

Panels = list[stat.Panel | statetimeline.Panel | timeseries.Panel]

MINUTE, HOUR = 60, 3600
# Long enough that a burst of work does not look like a leak, short enough to see one in time.
TREND = "[30m]"


def well() -> Panels:
    """Is main up, what does it fail at, and how did it end?"""
    state = timeline(
        "Main",
        "Red: main has no process; `initctl status` says why, and when it is started again. "
        "Orange: it runs but is not ready; the checks beside this say why. "
        "initd in observe mode has no main and is always red.",
        Query(f"{metric('main_up')} + {metric('ready')}", "{{instance}}"),
        width=12,
    )
    checks = timeline(
        "Checks",
        "What `/readyz?verbose` says, over time. Of several instances one that fails is enough for red. "
        "`initctl status` says why a check fails; `initctl events --kind check.failed` has the history.",
        Query(f"min by (check) ({metric('health_check_passing')})", "{{check}}"),
        width=12,
    )
    restarts = bars(
        "Restarts of main, and kills for memory",
        "Restarts without a kill: main's own log says why it ended. With one: the container's memory limit "
        "is too small, or main leaks memory. `api` is somebody's order; `health` and `watchdog` are initd's.",
        Query(f"sum by (reason) ({increase('main_restarts_total')})", "{{reason}}"),
        Query(f"sum({increase('cgroup_memory_oom_kills_total')})", "killed for memory"),
        width=18,
    )
    code = number(
        "Last exit code of main",
        "128 + N: signal N ended it. 137 without a kill for memory beside it is a stop that took too long, "
        "or somebody's KILL: see the row of signals. 126 and 127: the command cannot be run.",
        "none",
        Query(metric("main_last_exit_code"), "{{instance}}"),
        width=6,
    )
    return [
        state.mappings([words((0, "no process", RED), (1, "not ready", ORANGE), (2, "ready", GREEN))]),
        checks.mappings([words((0, "fails", RED), (1, "passes", GREEN))]),
        restarts,
        code.thresholds(steps(GREEN, (1, RED))).no_value("has not ended yet"),
    ]


def leaks() -> Panels:
    """Who does not wait for its children, and who leaves processes behind?"""
    zombies = layers(
        "Zombies, by who should wait for them",
        "They go when their parent waits for them or ends; killing a zombie does nothing. "
        "`initctl zombies` names the parent, and why it does not wait. "
        "Many under `init` for long would be a fault of initd: please report it.",
        "short",
        Query(f"sum by (parent) ({metric('zombies')})", "{{parent}}"),
        width=18,
    )
    oldest = number(
        "Oldest zombie",
        "Time since it was started: the kernel does not tell when it died. "
        "Minutes are a parent that is busy, hours are one that never waits: see `initctl zombies`.",
        "s",
        Query(f"time() - {metric('oldest_zombie_timestamp_seconds')}", "{{instance}}"),
        width=6,
    )
    alive = lines(
        "Orphans that live on",
        "Processes that initd adopted because their parent ended before them. A level is a daemon; a slope "
        "is something that forgets what it started. `GET /api/v1/lineage` tells whose children they were.",
        "short",
        Query(metric("adopted_processes"), "{{instance}}"),
        width=12,
    )
    flow = lines(
        "Orphans a second",
        "Many that end at once are shells that put work into the background: wasteful, not a leak. "
        "What goes to another subreaper is that one's to reap; `GET /api/v1/lineage` names it.",
        "ops",
        Query(f"sum({rate('adoptions_total')})", "adopted"),
        Query(f"sum({rate('reaped_total', origin='adopted')})", "reaped"),
        Query(f"sum({rate('reparented_total')})", "to another subreaper"),
        width=12,
    )
    return [
        zombies,
        oldest.thresholds(steps(GREEN, (10 * MINUTE, ORANGE), (HOUR, RED))).no_value("none"),
        alive,
        flow,
    ]


def room() -> Panels:
    """When do the process IDs run out, and what else does?"""
    used, limit = metric("cgroup_pids_current"), metric("cgroup_pids_max")
    left = number(
        "PIDs run out in",
        "At the growth of the last half hour. Then no fork succeeds, nor an exec into the container; initd "
        "still answers. Restart main before that (`initctl restart`), and mend what the row above names.",
        "s",
        Query(f"({limit} - {used}) / (deriv({used}{TREND}) > 0)", "{{instance}}"),
        width=6,
    )
    pids = lines(
        "PIDs in use",
        "Processes, threads and zombies against the limit of the control group. Nothing here: there is no "
        "limit; set one, or a leak in this container takes the whole machine's.",
        "percentunit",
        Query(f"{used} / {limit}", "{{instance}}"),
        width=9,
    )
    memory = lines(
        "Memory in use",
        "Against the limit of the control group. The file cache counts, so full is normal: what hurts is the "
        "time spent waiting for memory, below. Nothing here: there is no limit.",
        "percentunit",
        Query(
            f"{metric('cgroup_memory_current_bytes')} / {metric('cgroup_memory_max_bytes')}", "{{instance}}"
        ),
        width=9,
    )
    forks = bars(
        "Forks that failed",
        "Of anyone, at the limit of the control group; and initd's own, for main or for web: "
        "`initctl events --kind fork.failed` has the numbers of the limit that was hit.",
        Query(f"sum({increase('cgroup_pids_limit_hits_total')})", "at the limit"),
        Query(f"sum({increase('events_total', kind='fork.failed')})", "of initd"),
        width=12,
    )
    waiting = lines(
        "Time spent waiting",
        "Share of time in which some task of the worst instance waited, or was held back by the CPU limit. "
        "Memory above a few percent is thrashing: raise the limit, or find what grew.",
        "percentunit",
        Query(f"max({rate('cgroup_pressure_cpu_waiting_seconds_total')})", "for CPU"),
        Query(f"max({rate('cgroup_pressure_memory_waiting_seconds_total')})", "for memory"),
        Query(f"max({rate('cgroup_pressure_io_waiting_seconds_total')})", "for input and output"),
        Query(f"max({rate('cgroup_cpu_throttled_seconds_total')})", "held back by the CPU limit"),
        width=12,
    )
    return [
        left.thresholds(steps(RED, (HOUR, ORANGE), (6 * HOUR, GREEN))).no_value("not filling"),
        dashed(pids.max(1), (0.8, ORANGE), (0.95, RED)).no_value("no limit"),
        dashed(memory.max(1), (0.9, ORANGE)).no_value("no limit"),
        forks,
        waiting.no_value("the kernel does not say"),
    ]


def people() -> Panels:
    """Who sent, ordered and asked for what?"""
    signals = bars(
        "Signals",
        "`api`: somebody asked initd to send it; `forwarded`: from outside, as an engine's stop does. "
        "Who, and whether it worked: `initctl events --kind signal.sent,signal.forwarded`.",
        Query(
            f"sum by (signal, source) ({increase('signals_total', source='api|forwarded')}) > 0",
            "{{signal}} {{source}}",
        ),
        width=9,
    )
    orders = bars(
        "Orders",
        "Restarts, stops, drains and shutdowns that somebody ordered; `initctl events` names role and "
        "peer. A stop without a start leaves main stopped: see the first row, then `initctl start`.",
        Query(f"sum({increase('main_restarts_total', reason='api')})", "restart"),
        Query(f"sum by (kind) ({increase('events_total', kind='main.stopped|drain|shutdown')})", "{{kind}}"),
        width=8,
    )
    refused = bars(
        "Requests refused or failed",
        "4xx: a wrong or missing token, a role that is too low, a process that is gone. 5xx on `health` is a "
        "probe that was told no, which is its purpose; on anything else initd's own log says why.",
        Query(
            f"sum by (group, code) ({increase('http_requests_total', code='4xx|5xx')})", "{{group}} {{code}}"
        ),
        width=7,
    )
    return [signals, orders, refused]


def ourselves() -> Panels:
    """Can all of the above be believed?"""
    restarts = bars(
        "Restarts of web",
        "web is the part of initd that answers HTTP. It may die without harm to main, and nothing is "
        "forgotten; often means too little memory, or a fault of initd: its own log has the reason.",
        Query(f"sum by (instance) ({increase('web_restarts_total')})", "{{instance}}"),
        width=12,
    )
    slow = lines(
        "Time to answer, 99th percentile",
        "Probes give up after their timeout, 1 s unless you set another. Slow with many processes is "
        "expected of `metrics` and `api`, never of `health`: then the CPU limit is too low.",
        "s",
        Query(
            f"histogram_quantile(0.99, sum by (le, group) ({rate('http_request_duration_seconds_bucket')}))",
            "{{group}}",
        ),
        width=12,
    )
    return [restarts, dashed(slow, (1, RED))]


ROWS: dict[str, Callable[[], Panels]] = {
    "Is main well?": well,
    "Who leaks?": leaks,
    "How long until it is full?": room,
    "What did people do to it?": people,
    "Is initd itself well?": ourselves,
}
