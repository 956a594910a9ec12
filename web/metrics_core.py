"""Metrics of what only the core knows: main, reaping, adoption, signals, events, health.

Law of this file: from the core's ``status`` and ``counters`` (docs/letterbox.md) to families; no
/proc. Every counter and state of a closed set is there from the start.
"""

from __future__ import annotations

import platform
from datetime import datetime
from typing import Any

from initd.model import (
    COMMON_SIGNALS,
    EVENT_KINDS,
    ORIGINS,
    OUTCOMES,
    PUBLIC_STATES,
    RESTART_REASONS,
    SOURCES,
)
from initd.signals import number_of
from web.metrics_family import Families, counter, counters, gauge, gauges, histogram, info, zeros

_UNCOMMON = 16  # signals by source beyond the common ones: all of them, from all sources, would be 150 series


def core(status: dict[str, Any], counted: dict[str, Any]) -> Families:
    """All of them, in the order of the page."""
    init = status["init"]
    versions = {"version": str(init["version"]), "python": platform.python_version()}
    yield from info("build", "The init's version and its interpreter's.", versions)
    yield from info("init", "How the init runs: pid1, subreaper, passive, observer.", {"role": init["role"]})
    yield from _main(status["main"], counted)
    yield from _reaping(counted)
    yield from counters(
        "signals_total",
        "Signals sent, by name (real-time ones as RT, rare ones as other) and by what made us send them.",
        ("signal", "source"),
        _signals(counted["signals"]),
    )
    yield from gauge("ready", "1 while the init reports ready, as /readyz does.", bool(status["ready"]))
    checks = {str(check["name"]): float(bool(check["ok"])) for check in counted.get("checks", ())}
    if checks:
        yield from gauges("health_check_passing", "1 while a health check passes.", "check", checks)
    yield from counter(
        "core_errors_total", "Errors in the init that it survived; please report them.", counted["errors"]
    )
    yield from counter(
        "web_restarts_total", "Restarts of the process that answers HTTP.", counted["web_restarts"]
    )
    events = zeros(EVENT_KINDS) | {(kind,): n for kind, n in counted["events"].items()}
    yield from counters("events_total", "Events put into the history, by kind.", ("kind",), events)
    yield from counter(
        "events_dropped_total",
        "Events that did not fit into the letterbox; they were fetched from the history later.",
        counted["events_dropped"],
    )


def _main(main: dict[str, Any], counted: dict[str, Any]) -> Families:
    last = main["last_exit"] or {}
    states = {state: float(state == main["state"]) for state in PUBLIC_STATES}
    yield from gauge("main_up", "1 while the main command has a process.", main["pid"] is not None)
    yield from gauges(
        "main_state", "1 for the state the main command is in, 0 for the others.", "state", states
    )
    yield from gauge(
        "main_start_timestamp_seconds",
        "When the main process started, in seconds since 1970.",
        seconds(main["started_at"]),
    )
    yield from gauge(
        "main_last_exit_code", "Main's last exit code; 128 + N when signal N killed it.", _exit_code(last)
    )
    yield from gauge(
        "main_last_exit_timestamp_seconds",
        "When the main process last ended, in seconds since 1970.",
        seconds(last.get("at")),
    )
    yield from gauge(
        "main_restart_delay_seconds",
        "How long the next restart of main will be put off, in seconds.",
        counted["main_restart_delay_seconds"],
    )
    restarts = zeros(RESTART_REASONS) | {(reason,): n for reason, n in counted["main_restarts"].items()}
    yield from counters(
        "main_restarts_total", "Restarts of the main command, by reason.", ("reason",), restarts
    )


def _reaping(counted: dict[str, Any]) -> Families:
    yield from gauge(
        "adopted_processes", "Living orphans that the init has adopted.", counted["adopted_alive"]
    )
    seen = zeros(("alive", "dead")) | {(how,): n for how, n in counted["adoptions"].items()}
    yield from counters(
        "adoptions_total", "Orphans adopted, by whether they were first seen alive or dead.", ("seen",), seen
    )
    yield from counter(
        "reparented_total", "Orphans seen going to another subreaper.", counted.get("reparented", 0)
    )
    reaped = zeros(ORIGINS, OUTCOMES) | {tuple(key.split("/", 1)): n for key, n in counted["reaped"].items()}
    yield from counters(
        "reaped_total",
        "Children reaped, by where they came from and how they ended.",
        ("origin", "outcome"),
        reaped,
    )
    yield from counter(
        "reaped_undescribed_total",
        "Of the adopted ones reaped, those that a storm left no time to look at: they are only counted.",
        counted["undescribed"],
    )
    for name, text in (
        ("reap_batch_seconds", "Time to reap all children that had ended at one moment, in seconds."),
        ("adopted_lifetime_seconds", "How long adopted orphans lived, from start to end, in seconds."),
    ):
        figures = counted[name]
        yield from histogram(name, text, [({}, figures["bounds"], figures["counts"], figures["sum"])])


def _signals(counted: dict[str, int]) -> dict[tuple[str, ...], float]:
    """In the order of their first use, so that a series once made stays; what finds no room is other."""
    values = zeros(COMMON_SIGNALS, SOURCES)
    most = len(values) + _UNCOMMON
    for key, number in counted.items():
        name, _, source = key.partition("/")
        labels = ("RT" if name.startswith("RT") else name, source)
        if labels not in values and len(values) >= most:
            labels = ("other", source)
        values[labels] = values.get(labels, 0) + number
    return values


def _exit_code(last: dict[str, Any]) -> int | None:
    if last.get("signal") is not None:
        return 128 + number_of(last["signal"])
    code: int | None = last.get("code")
    return code


def seconds(at: str | None) -> float | None:
    """RFC 3339 as seconds since 1970."""
    return None if at is None else datetime.fromisoformat(at).timestamp()
