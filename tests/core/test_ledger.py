"""ledger.py: every label is there from the start with 0, counters only go up, an adoption counts once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initd import signals
from initd.ledger import BATCH_BOUNDS, LIFETIME_BOUNDS, Histogram, Ledger
from initd.model import ProcessId

from .driver import QUICK


def test_every_label_is_there_from_the_start_with_zero() -> None:
    counters = Ledger().as_dict()
    assert counters["adoptions"] == {"alive": 0, "dead": 0}
    origins, outcomes = ("main", "web", "adopted", "helper"), ("exited", "signaled")
    assert counters["reaped"] == {f"{o}/{how}": 0 for o in origins for how in outcomes}
    assert counters["main_restarts"] == {"exit": 0, "api": 0, "watchdog": 0, "health": 0}
    assert set(counters["signals"].values()) == {0}
    assert len(counters["signals"]) == 10 * 5
    sources = {label.partition("/")[2] for label in counters["signals"]}
    assert sources == {"forwarded", "api", "stop", "sweep", "orphan"}
    assert (counters["web_restarts"], counters["events_dropped"], counters["adopted_alive"]) == (0, 0, 0)


def test_met_alive_counts_once_however_often_it_is_listed() -> None:
    ledger, process = Ledger(), ProcessId(7, 70)
    assert [ledger.met_alive(process) for _ in range(3)] == [True, False, False]
    assert ledger.adoptions == {"alive": 1, "dead": 0}
    assert ledger.as_dict()["adopted_alive"] == 1


def test_dead_after_alive_counts_no_second_time() -> None:
    ledger, process = Ledger(), ProcessId(7, 70)
    ledger.met_alive(process)
    assert ledger.met_dead(process) is False
    assert (ledger.adoptions, ledger.adopted) == ({"alive": 1, "dead": 0}, {})


def test_dead_at_first_sight_counts_as_dead() -> None:
    ledger = Ledger()
    assert ledger.met_dead(ProcessId(7, 70)) is True
    assert ledger.met_dead(ProcessId(7, 80)) is True
    assert (ledger.adoptions, ledger.adopted_total) == ({"alive": 0, "dead": 2}, 2)


def test_the_same_pid_with_another_start_time_is_another_process() -> None:
    ledger = Ledger()
    assert ledger.met_alive(ProcessId(7, 70))
    assert ledger.met_alive(ProcessId(7, 80))
    assert ledger.adopted == {7: 80}


def test_reaps_are_counted_by_origin_and_outcome() -> None:
    ledger = Ledger()
    ledger.count_reap("main", "exited")
    ledger.count_reap("adopted", "signaled")
    ledger.count_reap("adopted", "signaled")
    assert (ledger.reaped["main/exited"], ledger.reaped["adopted/signaled"], ledger.reaped_total) == (1, 2, 3)


@pytest.mark.parametrize("reap", [("nobody", "exited"), ("main", "vanished")])
def test_an_unknown_label_is_an_error_and_no_new_series(reap: tuple[str, str]) -> None:
    with pytest.raises(KeyError):
        Ledger().count_reap(*reap)


def test_signals_beyond_the_common_ten_are_made_on_first_use() -> None:
    ledger = Ledger()
    assert "TSTP/forwarded" not in ledger.signals
    ledger.count_signal(signals.NUMBERS["TSTP"], "forwarded")
    ledger.count_signal(signals.NUMBERS["TERM"], "sweep", 5)
    assert (ledger.signals["TSTP/forwarded"], ledger.signals["TERM/sweep"]) == (1, 5)


@pytest.mark.parametrize("number", [signals.RTMIN, signals.RTMIN + 7, signals.RTMAX])
def test_all_real_time_signals_are_one_label(number: int) -> None:
    ledger = Ledger()
    ledger.count_signal(number, "api")
    assert ledger.signals["RT/api"] == 1


@pytest.mark.parametrize("bounds", [BATCH_BOUNDS, LIFETIME_BOUNDS])
def test_a_value_on_a_bound_is_under_it(bounds: tuple[float, ...]) -> None:
    histogram = Histogram(bounds)
    for bound in bounds:
        histogram.observe(bound)
    assert histogram.as_dict() == {
        "bounds": list(bounds),
        "counts": [1] * len(bounds) + [0],
        "sum": pytest.approx(sum(bounds)),
    }


@QUICK
@given(st.lists(st.floats(0, 1e6)))
def test_every_value_is_in_one_place_and_cumulates_as_le(values: list[float]) -> None:
    histogram = Histogram(LIFETIME_BOUNDS)
    for value in values:
        histogram.observe(value)
    assert sum(histogram.counts) == len(values)
    assert histogram.sum == pytest.approx(sum(values))
    for place, bound in enumerate(LIFETIME_BOUNDS, 1):
        assert sum(histogram.counts[:place]) == sum(value <= bound for value in values)


def test_all_of_it_in_the_shape_of_the_letterbox() -> None:
    ledger = Ledger()
    ledger.web_restarts, ledger.events_dropped = 2, 3
    ledger.reap_batch.observe(0.01)
    counters = ledger.as_dict()
    assert (counters["web_restarts"], counters["events_dropped"]) == (2, 3)
    assert sum(counters["reap_batch_seconds"]["counts"]) == 1
    assert counters["adopted_lifetime_seconds"]["bounds"] == list(LIFETIME_BOUNDS)
