"""web fails in every way, again and again, while main is restarted, stopped and started: main never notices.

A random walk that hypothesis makes, and shrinks when it fails; INITD_TEST_SEED repeats one.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from prometheus_client.parser import text_string_to_metric_families

from tests.kernel import kernel
from tests.kernel.client import wait_for

from .crashing import FAULTS, HANGS, Stage
from .following import Reader
from .soak import soak

STEPS, WALKS = soak(40, least=5), soak(26, least=2)  # the first is hypothesis' simplest: a KILL at each step
COUNTED = "adoptions reaped reparented main_restarts web_restarts signals events events_dropped core_errors"
COUNTERS = {f"initd_{name}_total" for name in COUNTED.split()}  # PID 1's own: no web's end may set them back
Faults = list[tuple[str, float]]
FAULT = st.tuples(st.sampled_from(list(FAULTS)), st.floats(0, 0.3))
ORDERS = st.lists(st.sampled_from(("restart", "stop", "start")), min_size=1, max_size=2)


class Tally:
    """What all walks together did."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self.orders = self.replaced = 0
        self.slowest = 0.0


class Storm(RuleBasedStateMachine):
    """One initd, from its start to its end."""

    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.reader = Reader(self.stage.get)
        self.events: dict[str, list[dict[str, Any]]] = {}  # by kind
        self.counters: dict[str, float] = {}
        self.operation: int | None = None  # the last one
        self.wanted, self.hangs, self.steps = "running", 0, 0

    def teardown(self) -> None:
        with self.stage:
            if failure := sys.exc_info()[1]:
                raise failure  # so that it is shown with what initd said
            self.tally.replaced += self.stage.get("/api/v1/status")["web"]["restarts"]
            assert self.stage.made.stop() == 0  # main's code; of one that is stopped, its last

    # --- what happens

    @rule(faults=st.lists(FAULT, min_size=1, max_size=2))
    def web_fails(self, faults: Faults) -> None:
        for kind, pause in faults:
            self.tally.faults[kind] += 1
            self.stage.inflict(kind, pause)

    @rule(orders=ORDERS, faults=st.lists(FAULT, max_size=2))
    def main_is_ordered_about_while_web_fails(self, orders: list[str], faults: Faults) -> None:
        for order in orders:
            answer = self.stage.made.ask("POST", f"/api/v1/main/{order}")
            assert answer.status in (200, 202), answer
            self.operation, self.wanted = answer.json()["id"], "stopped" if order == "stop" else "running"
        self.tally.orders += len(orders)
        self.web_fails(faults)

    @precondition(lambda self: self.hangs <= self.steps / 20)
    @rule(how=st.sampled_from(list(HANGS)))
    def web_hangs(self, how: str) -> None:
        self.hangs += 1
        self.tally.faults[how] += 1
        os.kill(self.stage.web(), HANGS[how])

    # --- what must be true after each step

    @invariant()
    def nothing_is_lost(self) -> None:
        self.steps += 1
        assert len(self.stage.mains()) <= 1
        assert len(self.stage.webs()) <= 1
        self.http_is_back()
        self.state_is_reality()
        self.history_is_whole()
        self.counters_go_up()

    def http_is_back(self) -> None:
        """And what was ordered is done."""
        begun = time.monotonic()
        self.stage.get("/api/v1/status")
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - begun)
        if self.operation is not None:
            path = f"/api/v1/operations/{self.operation}"
            wait_for(lambda: self.stage.get(path)["state"] == "done", f"{path} to be done")

    def state_is_reality(self) -> None:
        status = self.stage.get("/api/v1/status")
        main, running = status["main"], [kernel.inner(pid) for pid in self.stage.mains()]
        assert main["state"] == self.wanted
        assert running == ([main["pid"]] if self.wanted == "running" else [])
        wait_for(lambda: len(self.stage.said("up")) == 1 + main["restarts"], "main's own word")
        assert status["adopted"] == {"total": 0, "alive": 0}

    def history_is_whole(self) -> None:
        for event in self.reader.read():
            self.events.setdefault(event["kind"], []).append(event)
        assert self.reader.missed == 0
        ends = self.events.get("main.exited", [])
        assert {(end["code"], end["signal"]) for end in ends} <= {(0, None)}
        assert [end["process"]["pid"] for end in ends] == self.stage.said("down")
        replaced = len(self.events.get("web.exited", []))
        assert len(self.events["web.started"]) == 1 + replaced
        assert self.stage.get("/api/v1/status")["web"]["restarts"] == replaced

    def counters_go_up(self) -> None:
        text = self.stage.ask("/metrics").decode()
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        now = {f"{each.name}{each.labels}": each.value for each in samples if each.name in COUNTERS}
        assert {name: value for name, value in self.counters.items() if now[name] < value} == {}
        assert now["initd_main_restarts_total{'reason': 'exit'}"] == now["initd_core_errors_total{}"] == 0
        self.counters = now


@pytest.mark.survives(
    "web is killed, crashes, hangs, computes for ever, cannot be imported, raves into the letterbox, "
    "at random moments of restarts, stops and starts of main",
    "one main at most, never ended but by order; its state is what the kernel says; no event is lost; "
    "no counter goes back; HTTP is back before kubelet gives up",
)
def test_no_storm_of_webs_failures_reaches_main(figures: dict[str, object]) -> None:
    number = int(os.environ.get("INITD_TEST_SEED", random.randrange(2**32)))  # noqa: S311  it is printed
    print(f"INITD_TEST_SEED={number}")
    Storm.tally = tally = Tally()
    walks = settings(
        max_examples=WALKS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Storm), settings=walks)
    kinds = ", ".join(f"{times} {kind}" for kind, times in tally.faults.most_common())
    figures |= {
        "faults": f"{tally.faults.total():,} ({kinds})",
        "orders": f"{tally.orders:,}",
        "webs replaced": f"{tally.replaced:,}",
        "slowest answer": f"{tally.slowest:.1f} s",
    }
