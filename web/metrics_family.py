"""Metric families in prometheus_client's shape: one short function for each kind we use.

Law of this file: no figures and no names of metrics. A value that is None leaves its family out,
since an absent figure is honest and a 0 is not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, product

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

PREFIX = "initd_"
Families = Iterator[Metric]

_before: dict[str, tuple[Hashable, Metric]] = {}  # by name, of the scrape before; see _same


def gauge(name: str, text: str, value: float | None) -> Families:
    if value is not None:
        yield _same(name, value, lambda: GaugeMetricFamily(PREFIX + name, text, value))


def counter(name: str, text: str, value: float | None) -> Families:
    if value is not None:
        yield _same(name, value, lambda: CounterMetricFamily(PREFIX + name, text, value))


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Families:
    """One gauge for each value of a label."""

    def make() -> Metric:
        family = GaugeMetricFamily(PREFIX + name, text, labels=[label])
        for word, value in values.items():
            family.add_metric([word], value)
        return family

    yield _same(name, tuple(values.items()), make)


def counters(
    name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]
) -> Families:
    """One counter for each combination of labels."""

    def make() -> Metric:
        family = CounterMetricFamily(PREFIX + name, text, labels=labels)
        for words, value in values.items():
            family.add_metric(words, value)
        return family

    yield _same(name, tuple(values.items()), make)


def info(name: str, text: str, labels: Mapping[str, str]) -> Families:
    """A constant 1 whose labels carry words; ``name`` is without ``_info``."""
    yield _same(name, tuple(labels.items()), lambda: InfoMetricFamily(PREFIX + name, text, dict(labels)))


def histogram(
    name: str, text: str, values: Iterable[tuple[Mapping[str, str], Sequence[float], Sequence[int], float]]
) -> Families:
    """One histogram for each (labels, bounds, counts, sum). Counts are not cumulative; the last is +Inf's."""
    rows = list(values)

    def make() -> Metric:
        family = HistogramMetricFamily(PREFIX + name, text, labels=list(rows[0][0]) if rows else [])
        for labels, bounds, counts, total in rows:
            edges = [*(str(float(bound)) for bound in bounds), "+Inf"]
            buckets = list(zip(edges, accumulate(counts), strict=True))
            family.add_metric(list(labels.values()), buckets, total)
        return family

    yield _same(name, tuple((*labels.values(), *counts, total) for labels, _, counts, total in rows), make)


def _same(name: str, figures: Hashable, make: Callable[[], Metric]) -> Metric:
    """The family of the scrape before, where its figures stand still: of most they do."""
    before = _before.get(name)
    if before is None or before[0] != figures:
        before = _before[name] = figures, make()
    return before[1]


def zeros(*closed: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    """Every combination of closed sets, with 0: a counter must be there before it first counts."""
    return dict.fromkeys(_combined(closed), 0.0)


@lru_cache
def _combined(closed: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(product(*closed))
