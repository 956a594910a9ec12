"""web.metrics_family: a family is made anew where a figure of it changed, and only there."""

from __future__ import annotations

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from web.metrics_family import Families, counter, counters, gauge, gauges, histogram, info, zeros
from web.metrics_text import generate_latest


class Given(Collector):
    """The families that it was given."""

    def __init__(self, *families: Metric) -> None:
        self.families = families

    def collect(self) -> Families:
        yield from self.families


def made(kind: str, figure: int) -> Metric:
    """One of each kind, with a figure in it."""
    (family,) = {
        "gauge": lambda: gauge("a", "A.", figure),
        "counter": lambda: counter("b_total", "B.", figure),
        "gauges": lambda: gauges("c", "C.", "of", {"x": 1.0, "y": float(figure)}),
        "counters": lambda: counters("d_total", "D.", ("of",), {("x",): 1.0, ("y",): float(figure)}),
        "histogram": lambda: histogram("e", "E.", [({"of": "x"}, [1.0], [2, figure], 3.0)]),
        "info": lambda: info("f", "F.", {"of": str(figure)}),
    }[kind]()
    return family


@pytest.mark.parametrize("kind", ["gauge", "counter", "gauges", "counters", "histogram", "info"])
def test_a_family_is_the_one_before_while_its_figures_stand_still(kind: str) -> None:
    one = made(kind, 7)
    shown = generate_latest(Given(one))
    assert made(kind, 7) is one
    assert generate_latest(Given(made(kind, 7))) == shown
    other = made(kind, 8)
    assert other is not one
    assert generate_latest(Given(other)) != shown
    assert generate_latest(Given(made(kind, 7))) == shown


def test_a_series_more_is_another_family() -> None:
    (one,) = gauges("c", "C.", "of", {"x": 1.0})
    (two,) = gauges("c", "C.", "of", {"x": 1.0, "y": 1.0})
    assert [len(family.samples) for family in (one, two)] == [1, 2]


def test_zeros_are_whoever_asked_for_them_s_own() -> None:
    mine = zeros(("a", "b"), ("x",))
    mine["a", "x"] = 5
    assert zeros(("a", "b"), ("x",)) == {("a", "x"): 0, ("b", "x"): 0}
