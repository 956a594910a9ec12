"""What the observer remembers, for whoever asks: how fast something grows, and how old the picture is.

Law of this file: pure; time is an argument. Bounded however many there are. Written and read on the
sampler's thread, but for the two that say when and how often.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

SPACING = 5.0  # seconds between two samples: closer ones would call every start of a pipeline a leak
WINDOW = 300.0
_FALL = 0.75  # what fell below this part was cleaned up: its growth begins anew
CULPRITS = 100  # remembered, those with most zombies; each costs up to 8 kB


class Trend:
    """One figure over the last five minutes."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, at: float, value: int) -> None:
        """The figure at ``at`` seconds, on a clock that only goes forward."""
        samples = self._samples
        if samples and value < samples[-1][1] * _FALL:
            samples.clear()
        if not samples or at - samples[-1][0] >= SPACING:
            samples.append((at, value))
        while at - samples[0][0] > WINDOW and len(samples) > 2:
            samples.popleft()

    def per_minute(self) -> float | None:
        """The slope of the line nearest to all samples (least squares); None before there are two."""
        number = len(self._samples)
        if number < 2:
            return None
        mean_at = sum(at for at, _ in self._samples) / number
        mean = sum(value for _, value in self._samples) / number
        rise = sum((at - mean_at) * (value - mean) for at, value in self._samples)
        return round(60 * rise / sum((at - mean_at) ** 2 for at, _ in self._samples), 2)


class Memory:
    """``taken_at`` and ``interval`` are those of the observer's own looks; None before the first."""

    def __init__(self) -> None:
        self.taken_at: float | None = None
        self.interval: float | None = None
        self._pids = Trend()
        self._culprits: dict[str, Trend] = {}

    def add(self, at: float, pids: int | None, culprits: Mapping[str, int]) -> None:
        """One look: tasks in our group, and how many zombies each culprit (by id) has."""
        if pids is not None:
            self._pids.add(at, pids)
        most = sorted(culprits, key=lambda key: -culprits[key])[:CULPRITS]
        self._culprits = {key: self._culprits.get(key) or Trend() for key in most}
        for key, trend in self._culprits.items():
            trend.add(at, culprits[key])

    def pids_growth(self) -> float | None:
        """Tasks a minute; None before two samples."""
        return self._pids.per_minute()

    def culprit_growth(self, key: str) -> float | None:
        """Zombies a minute under the culprit of this id; None where it is not remembered."""
        trend = self._culprits.get(key)
        return None if trend is None else trend.per_minute()


def minutes_until_full(current: int | None, limit: int | None, growth: float | None) -> float | None:
    """None where it does not grow, or has no limit."""
    if current is None or limit is None or growth is None or growth <= 0:
        return None
    return round(max(0, limit - current) / growth, 1)
