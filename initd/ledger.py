"""What is counted: adoptions, reaps, signals, restarts, and how long things took. Pure.

Law of this file: counters only go up, every label value is there from the start with 0, and an
adoption is counted once, when it is first met: alive in a listing, or dead at its reap.
"""

from __future__ import annotations

from bisect import bisect_left

from initd import signals
from initd.model import COMMON_SIGNALS, ORIGINS, OUTCOMES, RESTART_REASONS, SOURCES, ProcessId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

BATCH_BOUNDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
LIFETIME_BOUNDS = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0)


class Histogram:
    """Counts between bounds, as Prometheus adds them up later."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """A value equal to a bound is under it ("le")."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def as_dict(self) -> dict[str, Any]:
        return {"bounds": list(self.bounds), "counts": self.counts, "sum": self.sum}


class Ledger:
    """All counters of the core, and the adopted children that are alive."""

    def __init__(self) -> None:
        self.adopted: dict[int, int] = {}  # pid -> start time, of those met alive and not yet reaped
        self.adoptions = {"alive": 0, "dead": 0}
        self.undescribed = 0  # of the reaped, those that were only counted
        self.reaped = {f"{origin}/{how}": 0 for origin in ORIGINS for how in OUTCOMES}
        self.signals = {f"{name}/{source}": 0 for name in COMMON_SIGNALS for source in SOURCES}
        self.main_restarts = dict.fromkeys(RESTART_REASONS, 0)
        self.web_restarts = 0
        self.errors = 0  # exceptions that the last guard caught
        self.events_dropped = 0
        self.reparented = 0
        self.reap_batch = Histogram(BATCH_BOUNDS)
        self.adopted_lifetime = Histogram(LIFETIME_BOUNDS)

    def met_alive(self, process: ProcessId) -> bool:
        """A child that is none of ours by birth; True when it is met for the first time."""
        if self.adopted.get(process.pid) == process.starttime:
            return False
        self.adopted[process.pid] = process.starttime
        self.adoptions["alive"] += 1
        return True

    def met_dead(self, process: ProcessId) -> bool:
        """The same at its reap: it leaves the living; True when it had never been met alive."""
        if self.adopted.pop(process.pid, None) is not None:
            return False
        self.adoptions["dead"] += 1
        return True

    def met_many_dead(self, pids: Collection[int]) -> None:
        """The same for many that nobody looked at."""
        met = self.adopted.keys() & pids
        for pid in met:
            del self.adopted[pid]
        self.adoptions["dead"] += len(pids) - len(met)
        self.undescribed += len(pids)

    def count_reap(self, origin: str, outcome: str, times: int = 1) -> None:
        self.reaped[f"{origin}/{outcome}"] += times

    def count_signal(self, number: int, source: str, times: int = 1) -> None:
        """Real-time signals are one label, RT: their number means nothing outside the program."""
        name = "RT" if number >= signals.RTMIN else signals.name_of(number)
        key = f"{name}/{source}"
        self.signals[key] = self.signals.get(key, 0) + times

    @property
    def adopted_total(self) -> int:
        return self.adoptions["alive"] + self.adoptions["dead"]

    @property
    def reaped_total(self) -> int:
        return sum(self.reaped.values())

    def as_dict(self) -> dict[str, Any]:
        """The ``counters`` of a state reply; docs/letterbox.md."""
        return {
            "adoptions": self.adoptions,
            "adopted_alive": len(self.adopted),
            "reaped": self.reaped,
            "undescribed": self.undescribed,
            "signals": self.signals,
            "main_restarts": self.main_restarts,
            "web_restarts": self.web_restarts,
            "errors": self.errors,
            "events_dropped": self.events_dropped,
            "reparented": self.reparented,
            "reap_batch_seconds": self.reap_batch.as_dict(),
            "adopted_lifetime_seconds": self.adopted_lifetime.as_dict(),
        }
