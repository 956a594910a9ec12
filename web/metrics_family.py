"""Metric families in prometheus_client's shape: one short function for each kind we use.

Law of this file: no figures and no names of metrics. A value that is None leaves its family out,
since an absent figure is honest and a 0 is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

PREFIX = "initd_"
Families = Iterator[Metric]


def gauge(name: str, text: str, value: float | None) -> Families:
    if value is not None:
        yield GaugeMetricFamily(PREFIX + name, text, value)


def counter(name: str, text: str, value: float | None) -> Families:
    if value is not None:
        yield CounterMetricFamily(PREFIX + name, text, value)


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Families:
    """One gauge for each value of a label."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    yield family


def counters(
    name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]
) -> Families:
    """One counter for each combination of labels."""
    family = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for words, value in values.items():
        family.add_metric(words, value)
    yield family


def info(name: str, text: str, labels: Mapping[str, str]) -> Families:
    """A constant 1 whose labels carry words; ``name`` is without ``_info``."""
    yield InfoMetricFamily(PREFIX + name, text, dict(labels))


def histogram(
    name: str, text: str, values: Iterable[tuple[Mapping[str, str], Sequence[float], Sequence[int], float]]
) -> Families:
    """One histogram for each (labels, bounds, counts, sum). Counts are not cumulative; the last is +Inf's."""
    rows = list(values)
    family = HistogramMetricFamily(PREFIX + name, text, labels=list(rows[0][0]) if rows else [])
    for labels, bounds, counts, total in rows:
        edges = [*(str(float(bound)) for bound in bounds), "+Inf"]
        buckets = list(zip(edges, accumulate(counts), strict=True))
        family.add_metric(list(labels.values()), buckets, total)
    yield family


def zeros(*closed: Iterable[str]) -> dict[tuple[str, ...], float]:
    """Every combination of closed sets, with 0: a counter must be there before it first counts."""
    combined: list[tuple[str, ...]] = [()]
    for words in closed:
        combined = [(*left, word) for left in combined for word in words]
    return dict.fromkeys(combined, 0.0)
