"""/metrics: one custom collector over the core's answer, a view of /proc, and web's own figures.

Law of this file: it keeps nothing. Every scrape makes its families anew from values at hand, so
counters live where they are counted: in the core, or in the house. Labels come from closed sets and
never hold a pid, a command line or a name that a process chose.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from web.house import BOUNDS, House
from web.metrics_core import core
from web.metrics_family import Families, counter, counters, gauge, histogram
from web.metrics_proc import descendants, machine, own_fds, processes, standard
from web.metrics_text import generate_latest
from web.view import View

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text"
FORMATS = (TEXT, OPENMETRICS)
# Set by us: prometheus_client would repeat in its header whatever version Accept names.
CONTENT_TYPES = {
    TEXT: "text/plain; version=0.0.4; charset=utf-8",
    OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}

_ENCODERS: dict[str, Callable[[Collector], bytes]] = {
    TEXT: generate_latest,
    OPENMETRICS: openmetrics.generate_latest,
}


class Own(NamedTuple):
    """Web's own figures at one moment, copied on the event loop that counts them."""

    requests: dict[tuple[str, ...], float]
    counts: dict[str, list[int]]
    sums: dict[str, float]
    streams: int
    cut: int

    @classmethod
    def of(cls, house: House) -> Own:
        return cls(
            {(group, code): n for (group, code), n in house.http.requests.items()},
            {group: list(counts) for group, counts in house.http.counts.items()},
            dict(house.http.sums),
            house.streams,
            house.slow_readers,
        )


class Figures(Collector):
    """What one scrape shows. Without ``view`` (no /proc) the core's and web's counters are left."""

    def __init__(self, state: dict[str, Any], view: View | None, own: Own, house: House) -> None:
        self.state = state
        self.view = view
        self.own = own
        self.cpu = house.cpu
        self.errors = house.sampler.errors  # after this look

    def collect(self) -> Families:
        status, counted = self.state["status"], self.state["counters"]
        yield from core(status, counted)
        yield from machine()
        if self.view is not None:
            yield from processes(self.view)
            yield from descendants(self.view, self.cpu)
            yield from standard("process_", "the init", self.view, status["init"]["pid"], counted["open_fds"])
            yield from standard("initd_web_process_", "web", self.view, os.getpid(), own_fds())
            yield from _snapshot(self.view)
        yield from _web(self.own, self.errors)


def _snapshot(view: View) -> Families:
    yield from gauge(
        "snapshot_duration_seconds",
        "How long the last look at /proc took, in seconds.",
        view.snapshot.duration,
    )
    yield from gauge(
        "snapshot_timestamp_seconds", "When it was taken, in seconds since 1970.", view.snapshot.taken_at
    )


def _web(own: Own, errors: dict[str, int]) -> Families:
    yield from counters(
        "snapshot_errors_total",
        "Processes that could not be read, by reason; those that ended meanwhile are no errors.",
        ("reason",),
        {(reason,): n for reason, n in errors.items()},
    )
    yield from gauge("event_streams", "Open event streams and long polls.", own.streams)
    yield from counter(
        "event_streams_cut_total", "Event streams cut off because their reader was too slow.", own.cut
    )
    yield from counters(
        "http_requests_total",
        "HTTP requests answered, by group and code class.",
        ("group", "code"),
        own.requests,
    )
    yield from histogram(
        "http_request_duration_seconds",
        "Time from a request to its answer, in seconds.",
        [({"group": group}, BOUNDS, counts, own.sums[group]) for group, counts in own.counts.items()],
    )


def render(media_type: str, figures: Figures) -> bytes:
    """The exposition in one of FORMATS."""
    return _ENCODERS[media_type](figures)
