"""From samples to verdicts: quantiles, ratios, slopes, limits. Pure.

Law of this file: arithmetic and the words for it; what is measured, and how, is elsewhere.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Results of a run: figure -> size -> party -> samples.
Samples = dict[str, dict[int, dict[str, list[float]]]]
LARGE = 1_000  # processes, or orphans
KEPT, BUDGET, MISSED, UNKNOWN = "kept", "budget only", "missed", "not measured"


@dataclass(frozen=True)
class Limit:
    """The most that a figure of ``party`` may be: so many times that of ``against``, or so many units."""

    party: str
    budget: float
    goal: float
    against: str | None = None
    at: int | None = None  # the size that it is about; None for each that was measured


@dataclass(frozen=True)
class Row:
    """One figure, as a quantile of its samples; ``peer`` is whom ratios are to."""

    figure: str
    title: str
    unit: str
    peer: str | None = None
    limits: tuple[Limit, ...] = ()
    share: float = 0.5
    samples: str = ""  # the name that its samples have, where several rows are made of the same

    @property
    def source(self) -> str:
        return self.samples or self.figure


@dataclass(frozen=True)
class Verdict:
    """A limit, what was measured, and whether it was kept."""

    row: Row
    limit: Limit
    size: int
    measured: float | None

    @property
    def word(self) -> str:
        if self.measured is None:
            return UNKNOWN
        if self.measured <= self.limit.goal:
            return KEPT
        return BUDGET if self.measured <= self.limit.budget else MISSED


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies; between two values, on the line that joins them."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """What the middle 80 % of them lie between."""
    return quantile(values, 0.1), quantile(values, 0.9)


def slope(points: Mapping[int, float]) -> float | None:
    """The exponent that a figure grows with: 1 is linear, 0 not at all. Least squares of the logarithms."""
    usable = {size: value for size, value in points.items() if size > 0 and value > 0}
    if len(usable) < 2:
        return None
    sizes, values = ([math.log(number) for number in numbers] for numbers in (usable, usable.values()))
    return statistics.linear_regression(sizes, values).slope


def slope_of_large(points: Mapping[int, float]) -> float | None:
    """The same where it matters: what is the same for every size hides, among small ones, how it grows."""
    return slope({size: value for size, value in points.items() if size >= LARGE})


def value_of(row: Row, samples: Samples, size: int, party: str) -> float | None:
    """The figure of one party, if it was measured."""
    found = samples.get(row.source, {}).get(size, {}).get(party)
    return quantile(found, row.share) if found else None


def by_size(row: Row, samples: Samples, party: str) -> dict[int, float]:
    """The figure of one party at every size at which it was measured."""
    found = {size: value_of(row, samples, size, party) for size in sorted(samples.get(row.source, {}))}
    return {size: value for size, value in found.items() if value is not None}


def verdicts(row: Row, samples: Samples) -> list[Verdict]:
    """Every limit of the row, at every size that it is about."""
    sizes = sorted(samples.get(row.source, {})) or [0]
    return [
        Verdict(row, limit, size, _measured(row, limit, samples, size))
        for limit in row.limits
        for size in sizes
        if limit.at in (None, size)
    ]


def _measured(row: Row, limit: Limit, samples: Samples, size: int) -> float | None:
    ours = value_of(row, samples, size, limit.party)
    if ours is None or limit.against is None:
        return ours
    theirs = value_of(row, samples, size, limit.against)
    return ours / theirs if theirs else None
